// Command bare does nothing: what starts faster is not written in Go.
package main

func main() {}
