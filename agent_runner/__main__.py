"""`python -m agent_runner`."""

from agent_runner.cli import main

if __name__ == "__main__":
    main()
