"""Corpora that are made when they are needed, by committed generators."""
