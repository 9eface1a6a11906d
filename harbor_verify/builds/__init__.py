"""Images built in the classic ways, from fat to multi-stage: what people keep a registry for."""
