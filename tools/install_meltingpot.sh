#!/bin/sh
# Installs Melting Pot's substrates: tools/install_meltingpot.sh PYTHON
#
# dm-meltingpot is published as source alone, and its build downloads the bots
# of its scenarios, which substrates do not need. The build takes an archive
# that is already there: here it gets an empty one. Its requirements are not
# followed, since they ask for another TensorFlow than Acme's.
set -eu
python=$1
version=2.2.0
bots=2.1.0  # What that version's setup.py names.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$python" -m pip download --quiet --disable-pip-version-check --no-deps \
  --no-binary dm-meltingpot --no-build-isolation --dest "$folder" \
  "dm-meltingpot==$version"
tar -xzf "$folder/dm-meltingpot-$version.tar.gz" -C "$folder"
source=$folder/dm-meltingpot-$version
mkdir -p "$source/assets" "$folder/empty/assets"
tar -czf "$source/assets/meltingpot-assets-$bots.tar.gz" \
  -C "$folder/empty" assets
"$python" -m pip install --quiet --disable-pip-version-check --no-deps \
  --no-build-isolation "$source"
