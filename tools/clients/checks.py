"""What every client's script needs: the server's address, and checks that are counted."""
import sys

URL = sys.argv[1]
_count = 0


def check(holds, what):
    global _count
    _count += 1
    if not holds:
        sys.exit(f"FAILED: {sys.argv[0]}: {what}")


def same(got, wanted, what):
    check(got == wanted, f"{what}: {got!r}, not {wanted!r}")


def descending(scores, what):
    check(all(a >= b for a, b in zip(scores, scores[1:])), f"{what} does not fall: {scores}")
    check(all(0 <= score <= 1 for score in scores), f"{what} is outside 0..1: {scores}")


def fails(call, error, status, what):
    """call() raises this error with this status."""
    try:
        call()
    except error as told:
        return same(getattr(told, "status_code", None), status, what)
    check(False, f"{what}: nothing was raised")


def finish(name, what):
    print(f"{name}: {what}, {_count} checks")
