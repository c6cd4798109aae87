package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// listed is what go list tells of a package.
type listed struct {
	Dir            string
	ImportPath     string
	Name           string
	Imports        []string
	TestImports    []string
	XTestImports   []string
	IgnoredGoFiles []string // for other systems, or not part of the package
}

// Load returns the graph of the module in dir as go list sees it, with the files
// that are for other systems. flags go to go list before the pattern.
func Load(dir string, flags ...string) (Graph, error) {
	// -e: a package that does not compile still tells what it imports.
	args := append([]string{"list", "-e", "-json=Dir,ImportPath,Name,Imports,TestImports,XTestImports,IgnoredGoFiles"}, flags...)
	out, err := goCommand(dir, []string{"GOFLAGS=-mod=readonly"}, append(args, "./...")...)
	if err != nil {
		return nil, err
	}
	g := Graph{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		i := Imports{Code: p.Imports, Tests: append(p.TestImports, p.XTestImports...)}
		if err := addIgnored(&i, p); err != nil {
			return nil, err
		}
		g[p.ImportPath] = i
	}
}

// addIgnored adds the imports of files that another system would compile. A
// file of another package's name is a program beside the package, not part of it.
func addIgnored(i *Imports, p listed) error {
	for _, file := range p.IgnoredGoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("read the imports of %s: %w", p.ImportPath, err)
		}
		if p.Name != "" && strings.TrimSuffix(f.Name.Name, "_test") != p.Name {
			continue
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("read the imports of %s: %w", p.ImportPath, err)
			}
			if strings.HasSuffix(file, "_test.go") {
				i.Tests = append(i.Tests, path)
			} else {
				i.Code = append(i.Code, path)
			}
		}
	}
	return nil
}

// goCommand runs go in dir, under the machine's own toolchain and no workspace,
// and returns what it prints. An error has what go wrote to stderr.
func goCommand(dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN=local", "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, nil
}
