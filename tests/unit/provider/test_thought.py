from hypothesis import given
from hypothesis import strategies as st

from agent_runner.provider.thought import Thought, join_thought, split_thought

TEXT = st.text() | st.sampled_from(["</think>", "<think chars=3>abc</think>", "<think chars=0>"])


@given(TEXT, TEXT)
def test_both_texts_come_back_whatever_they_hold(reasoning: str, content: str) -> None:
    thought = Thought(reasoning, content)
    assert split_thought(join_thought(thought)) == thought


def test_text_alone_stays_as_it_is() -> None:
    assert join_thought(Thought(content="I clone first.")) == "I clone first."


def test_nothing_is_no_thought() -> None:
    assert join_thought(Thought()) is None


def test_a_tag_that_was_not_made_here_is_content() -> None:
    assert split_thought("<think chars=99>short").content == "<think chars=99>short"
