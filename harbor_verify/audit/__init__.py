"""The audit: whether every image that Harbor knows is still there, read as bytes from the registry's replicas.

`kinds` says what can be wrong, `reading` reads one blob and judges it, `notebook` is the progress file, `walk` goes
through all images, `cache`, `records` and `storage` compare what Redis, the database and the volume say, `command` is
`harbor-verify audit`. Nothing is ever written to Harbor, its stores or its storage.
"""
