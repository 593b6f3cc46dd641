"""Providers: for each dialect a client, a codec, a profile table and an error map."""
