"""Our grading beside the official harness's, on the same images, over rows of SWE-bench."""
