// Package oas is what ogen generates from server/openapi.yaml: the types of the
// API, the router and the reading and writing of the server, and a client.
//
// After a change of that file:
//
//	go generate ./internal/oas
package oas

//go:generate go tool ogen --clean --config ogen.yml --package oas --target . ../../server/openapi.yaml
