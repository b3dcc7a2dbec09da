"""The Python module of proto/navette.proto, made by protoc in a folder that goes away with the tests."""
import importlib
import pathlib
import subprocess
import sys

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"


def module_in(folder):
    subprocess.run(["protoc", "--proto_path", PROTO, "--python_out", folder, "navette.proto"], check=True)
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("navette_pb2")
    finally:
        sys.path.remove(str(folder))
