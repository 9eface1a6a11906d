"""The API's handlers: each takes a call and returns a response, or raises Refused."""
