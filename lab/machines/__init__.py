"""The lab's machines: namespaces of this one, their control groups, and the programs that run in them."""
