// Keyfob makes, hands out, checks, replaces and kills secrets: tokens, passwords
// and codes at a shell, and the API keys of a server, which it also is. Type
// keyfob --help.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:]))
}
