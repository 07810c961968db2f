"""The API: status, calls, recordings and exports over HTTP, in a process of its own."""
