import sys

from wit_world import exports


class Run(exports.Run):
    async def run(self) -> None:
        print("hello from async Python", *sys.argv[1:])
