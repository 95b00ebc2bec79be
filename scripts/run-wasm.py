"""`wasmtime run [--dir=.] PROGRAM ARGS…` over the Python package of that name."""

import sys

import wasmtime

args = [a for a in sys.argv[1:] if a != "run"]
wasi = wasmtime.WasiConfig()
while args and args[0].startswith("--dir="):
    folder = args.pop(0)[len("--dir="):]
    wasi.preopen_dir(folder, folder)
wasi.argv = args
wasi.inherit_stdin()
wasi.inherit_stdout()
wasi.inherit_stderr()
store = wasmtime.Store()
store.set_wasi(wasi)
linker = wasmtime.Linker(store.engine)
linker.define_wasi()
module = wasmtime.Module.from_file(store.engine, args[0])
try:
    linker.instantiate(store, module).exports(store)["_start"](store)
except wasmtime.ExitTrap as exited:
    sys.exit(exited.code)
