"""The pickle in a PyTorch file, read as a description: no class is looked up, nothing is called.

A pickle is a program for a machine with a stack. This machine knows what it takes to build numbers,
texts, lists, tuples, dicts and, in `gpool_cli.formats.pttensor`, plain tensors. Whatever else a
program names or calls becomes an `Opaque` with that name. Source of the opcodes: Python's
`pickletools`.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpool_cli.errors import InputError
from gpool_cli.formats.pttensor import Opaque, sizes_of, storage_of, tensor_v2, tensor_v3
from gpool_cli.printable import printable

# Some forty opcodes describe a tensor.
_MOST_OPCODES = 1_000_000

# A text may be used again and again: what is made of it must not cost its length each time.
LONGEST_NAME = 1000


@dataclass(frozen=True)
class OddKey:
    """A key of a dict that makes no name: a tuple, None. What it leads to is not built either.

    Attributes:
        kind: Its type.
        place: How many entries the dict had before.
    """

    kind: str
    place: int

    def __str__(self) -> str:
        return f"({self.kind} {self.place})"


def read_pickle(data: bytes) -> Any:
    """What a pickle describes: numbers, texts, containers, `Tensor` and `Opaque`.

    Raises:
        InputError: It is damaged, or needs more than such files do.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if opcode.name == "STOP":
                (described,) = machine.stack
                if described is _MARK:
                    break
                return described
            step = _STEPS.get(opcode.name)
            if step is None:
                raise _damaged(f"it has the opcode {opcode.name}, which tensors do not need")
            if count >= _MOST_OPCODES:
                raise too_many()
            step(machine, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError):
        pass
    raise _damaged("its pickle is no such description")


class _Mark:
    """What stands on the stack below the members of a container."""


_MARK = _Mark()


class _Machine:
    """A stack, and what was remembered of it by number."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self._copied = 0

    def copy(self, count: int) -> None:
        """Take note that so many objects are copied, which an opcode can ask for again."""
        self._copied += count
        if self._copied > _MOST_OPCODES:
            raise too_many()

    def pop_mark(self) -> list[Any]:
        """Everything above the last mark, which goes too."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        members = self.stack[place + 1 :]
        del self.stack[place:]
        return members

    def pop(self, count: int) -> tuple[Any, ...]:
        """So many from the top."""
        if len(self.stack) < count:
            raise IndexError
        members = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return members


def _push(machine: _Machine, argument: Any) -> None:
    machine.stack.append(argument)


def _constant(make: Callable[[], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(make())


def _nothing(machine: _Machine, argument: Any) -> None:
    pass


def _tuple(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(machine.pop(count))


def _tuple_of_marked(machine: _Machine, _: Any) -> None:
    machine.stack.append(tuple(machine.pop_mark()))


def _append(machine: _Machine, _: Any) -> None:
    _extend(machine, [machine.stack.pop()])


def _appends(machine: _Machine, _: Any) -> None:
    _extend(machine, machine.pop_mark())


def _extend(machine: _Machine, members: list[Any]) -> None:
    if isinstance(machine.stack[-1], list):
        machine.stack[-1].extend(members)
    elif not isinstance(machine.stack[-1], Opaque):
        raise TypeError


def _set_item(machine: _Machine, _: Any) -> None:
    _update(machine, list(machine.pop(2)))


def _set_items(machine: _Machine, _: Any) -> None:
    _update(machine, machine.pop_mark())


def _update(machine: _Machine, pairs: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, dict):
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            _enter(target, key, value)
    elif not isinstance(target, Opaque):
        raise TypeError


def _enter(target: dict[Any, Any], key: Any, value: Any) -> None:
    if isinstance(key, str):
        _check_name(key)
    elif isinstance(key, int) and not -(2**63) <= key < 2**64:
        # All multiples of one number may have one hash.
        raise ValueError("no key that tensors have")
    elif not isinstance(key, (int, float)):
        kind = key.name if isinstance(key, Opaque) else type(key).__name__
        key = value = OddKey(kind, len(target))
    target[key] = value


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise too_many()


def _put(machine: _Machine, number: int) -> None:
    machine.memo[number] = machine.stack[-1]


def _memoize(machine: _Machine, _: Any) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _get(machine: _Machine, number: int) -> None:
    machine.stack.append(machine.memo[number])


def _global(machine: _Machine, argument: str) -> None:
    _check_name(argument)
    machine.stack.append(Opaque(".".join(argument.split(" ", 1))))


def _stack_global(machine: _Machine, _: Any) -> None:
    module, name = machine.pop(2)
    if not isinstance(module, str) or not isinstance(name, str):
        raise TypeError
    _check_name(module)
    _check_name(name)
    machine.stack.append(Opaque(f"{module}.{name}"))


def _storage(machine: _Machine, _: Any) -> None:
    storage = storage_of(machine.stack.pop())
    _check_name(storage.key)
    machine.stack.append(storage)


def _call(machine: _Machine, _: Any) -> None:
    """What a call of a function with arguments would give, for the few that are known."""
    function, arguments = machine.pop(2)
    if not isinstance(function, Opaque):
        raise TypeError
    build = _KNOWN.get(function.name)
    machine.stack.append(build(machine, arguments) if build is not None else function)


def _new(machine: _Machine, _: Any) -> None:
    function, _ = machine.pop(2)
    machine.stack.append(function if isinstance(function, Opaque) else Opaque("object"))


def _build(machine: _Machine, _: Any) -> None:
    """Give an object its attributes, of which nothing here has any."""
    machine.pop(1)


def _ordered_dict(machine: _Machine, arguments: Any) -> dict[Any, Any]:
    pairs = arguments[0] if arguments else []
    machine.copy(len(pairs))
    built: dict[Any, Any] = {}
    for key, value in pairs:
        _enter(built, key, value)
    return built


_KNOWN: dict[str, Callable[[_Machine, Any], Any]] = {
    "torch._utils._rebuild_tensor_v2": lambda _, arguments: tensor_v2(arguments),
    "torch._utils._rebuild_tensor_v3": lambda _, arguments: tensor_v3(arguments),
    "torch._utils._rebuild_parameter": lambda _, arguments: arguments[0],
    "collections.OrderedDict": _ordered_dict,
    "torch.Size": lambda _, arguments: sizes_of(arguments[0]),
}

_PUSHED = (
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINSTRING", "SHORT_BINSTRING"),
)
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_PUSHED, _push),
    **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _get),
    "MEMOIZE": _memoize,
    "NONE": _constant(lambda: None),
    "NEWTRUE": _constant(lambda: True),
    "NEWFALSE": _constant(lambda: False),
    "MARK": _constant(lambda: _MARK),
    "EMPTY_LIST": _constant(list),
    "EMPTY_DICT": _constant(dict),
    "EMPTY_TUPLE": _constant(tuple),
    "EMPTY_SET": _constant(lambda: Opaque("set")),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "TUPLE": _tuple_of_marked,
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "BINPERSID": _storage,
    "REDUCE": _call,
    "NEWOBJ": _new,
    "BUILD": _build,
}


def too_many() -> InputError:
    """What is said of a file that asks for more work than its tensors explain."""
    return InputError("describes too many objects", "put fewer tensors into one file")


def _damaged(what: str) -> InputError:
    return InputError(
        f"can't be read without running it: {printable(what)}",
        "save the tensors alone with torch.save, or as safetensors",
    )
