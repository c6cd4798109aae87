package oas

//go:generate go tool ogen --clean --config ogen.yml --package oas --target . ../../server/openapi.yaml
