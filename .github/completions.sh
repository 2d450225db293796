#!/bin/sh
# Writes the completions of this source to .completions/, for the packages.
set -eu
mkdir -p .completions
for shell in bash zsh fish; do
	go run . completion "$shell" > ".completions/friendsweep.$shell"
done
