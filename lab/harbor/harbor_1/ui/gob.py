"""Go's gob encoding of the one type that sessions need: a map from interface to interface.

The keys are texts; the values texts, integers and booleans. Source: the package encoding/gob, and values of the
real ui taken out of Redis.
"""

Values = dict[str, str | int | bool]

# The message that defines type 64: a map whose keys and elements are interfaces (type 8).
_DEFINITION = bytes.fromhex("0d 7f 04 01 02 ff 80 00 01 10 01 10 00 00")
_MAP_TYPE = bytes.fromhex("ff 80")
_TYPES = {"bool": 1, "int": 2, "string": 6}


class NotGob(Exception):
    """The bytes are not what `encode` makes."""


def encode(values: Values) -> bytes:
    """Also for no values."""
    content = _MAP_TYPE + b"\0" + _unsigned(len(values))
    content += b"".join(_interface(part) for entry in values.items() for part in entry)
    return _DEFINITION + _unsigned(len(content)) + content


def decode(data: bytes) -> Values:
    """Raises NotGob."""
    reader = _Reader(data)
    try:
        reader.expect(_DEFINITION)
        reader.unsigned()
        reader.expect(_MAP_TYPE + b"\0")
        values = {}
        for _ in range(reader.unsigned()):
            key = reader.interface()
            values[str(key)] = reader.interface()
    except (IndexError, ValueError) as failure:
        raise NotGob(f"{failure} at byte {reader.position}") from failure
    return values


def _interface(value: str | int | bool) -> bytes:
    name = "string" if isinstance(value, str) else type(value).__name__
    match value:
        case bool():
            content = _unsigned(value)
        case int():
            content = _signed(value)
        case str():
            content = _counted(value.encode())
    return _counted(name.encode()) + _signed(_TYPES[name]) + _counted(b"\0" + content)


def _counted(data: bytes) -> bytes:
    return _unsigned(len(data)) + data


def _signed(number: int) -> bytes:
    return _unsigned(~number << 1 | 1 if number < 0 else number << 1)


def _unsigned(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([256 - len(data)]) + data


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def take(self, length: int) -> bytes:
        if self.position + length > len(self._data):
            raise ValueError("the data ends")
        self.position += length
        return self._data[self.position - length : self.position]

    def expect(self, data: bytes) -> None:
        if self.take(len(data)) != data:
            raise ValueError(f"no {data.hex()}")

    def unsigned(self) -> int:
        first = self.take(1)[0]
        return first if first < 128 else int.from_bytes(self.take(256 - first), "big")

    def signed(self) -> int:
        number = self.unsigned()
        return ~(number >> 1) if number & 1 else number >> 1

    def interface(self) -> str | int | bool:
        name = self.take(self.unsigned()).decode()
        if _TYPES.get(name) != self.signed():
            raise ValueError(f"unknown type {name!r}")
        self.unsigned()
        self.expect(b"\0")
        match name:
            case "bool":
                return bool(self.unsigned())
            case "int":
                return self.signed()
        return self.take(self.unsigned()).decode()
