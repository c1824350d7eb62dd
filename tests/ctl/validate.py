#!/usr/bin/env python3
"""validate.py SCHEMA FILE: exit 0 if FILE is JSON that fits SCHEMA, else say where not and exit 1.

Knows the part of JSON Schema that tests/ctl/schema uses, and refuses a schema that uses more."""
import json
import re
import sys

KNOWN = {"$schema", "title", "description", "type", "const", "enum", "pattern", "minimum", "properties",
         "required", "additionalProperties", "items"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}


def has_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check(schema, value, where):
    if set(schema) - KNOWN:
        raise ValueError(f"schema at {where} uses {sorted(set(schema) - KNOWN)}")
    if "type" in schema and not has_type(value, schema["type"]):
        return [f"{where}: not of type {schema['type']}"]
    faults = []
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        faults.append(f"{where}: not {schema['const']}")
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{where}: none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        faults.append(f"{where}: {value!r} does not match {schema['pattern']}")
    if "minimum" in schema and value < schema["minimum"]:
        faults.append(f"{where}: less than {schema['minimum']}")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                faults.append(f"{where}: {name} is missing")
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for name, inner in value.items():
            if name in known:
                faults += check(known[name], inner, f"{where}.{name}")
            elif others is False:
                faults.append(f"{where}: {name} is not in the schema")
            elif isinstance(others, dict):
                faults += check(others, inner, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            faults += check(schema["items"], inner, f"{where}[{number}]")
    return faults


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    try:
        with open(sys.argv[2], encoding="utf-8") as file:
            value = json.load(file)
    except json.JSONDecodeError as error:
        print(f"not JSON: {error}")
        return 1
    faults = check(schema, value, "$")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
