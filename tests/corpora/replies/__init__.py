"""Raw replies of models, with what has to become of each."""
