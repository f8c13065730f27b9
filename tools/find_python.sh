#!/bin/sh
# Prints the path of a Python interpreter of the given version, e.g. 3.10:
# from PATH, from pyenv's versions or from uv's. Says what to install if there
# is none. A pyenv shim that answers for another version is passed over.
version=$1

is_good() {
  [ -x "$1" ] && "$1" -c "import sys, venv, ensurepip
sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null
}

for candidate in \
  "$(command -v "python$version" 2>/dev/null)" \
  "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version"*/bin/python"$version" \
  "$(command -v uv >/dev/null 2>&1 && uv python find "$version" 2>/dev/null)" \
  "$(command -v python3 2>/dev/null)"; do
  if is_good "$candidate"; then
    echo "$candidate"
    exit 0
  fi
done
echo "No Python $version found: install it, for example with" \
  "'pyenv install $version' or 'uv python install $version'." >&2
exit 1
