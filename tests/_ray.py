"""What stands for Ray where it is not installed."""

from __future__ import annotations

from typing import Any


class FakeRay:
    """Tasks run when they are fetched, in this process."""

    class exceptions:  # noqa: N801
        class RayError(Exception):
            pass

        class RayTaskError(RayError):
            cause: Exception

    def __init__(self) -> None:
        self.up = self.broken = False
        self.shares: dict[str, Any] = {}

    def is_initialized(self) -> bool:
        return self.up

    def init(self, **options: Any) -> None:
        if self.broken:
            raise ConnectionError("no raylet")
        self.up = True

    def shutdown(self) -> None:
        self.up = False

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": {"CPU": 4.0}}, {"Alive": False, "Resources": {"CPU": 64.0}}]

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **share: Any) -> Any:
        self.shares = share

        class Remote:
            def __init__(self, function: Any) -> None:
                self.function = function

            def remote(self, *given: Any) -> tuple[Any, tuple[Any, ...]]:
                return self.function, given

        return Remote

    def wait(self, tasks: list[Any]) -> tuple[list[Any], list[Any]]:
        return tasks[-1:], tasks[:-1]

    def get(self, task: Any) -> Any:
        function, given = task
        try:
            return function(*given)
        except self.exceptions.RayError:
            raise
        except Exception as error:
            wrapped = self.exceptions.RayTaskError("a long traceback")
            wrapped.cause = error
            raise wrapped from error
