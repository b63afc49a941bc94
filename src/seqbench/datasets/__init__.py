"""Sources of recordings, one file each.

A source is a function under ``@DATASETS.register("name", task=..., sample=...)``.
It takes the download cache and its own keyword-only options, and returns
`seqbench.storage.recordings.Recordings`.
"""
