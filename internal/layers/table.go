package layers

// layer is a storey of the house. A package imports from the storeys that its
// own storey's rule names, all of them further down.
type layer int

const (
	unknown  layer = iota
	tool           // programs that check the repository
	testOnly       // what tests alone import
	ground         // internal/draw, internal/framing
	random         // random
	leaf           // one package, one thing
	contract       // store
	backend        // store/sqlite and the other places where records live
	suite          // store/storetest
	inner          // internal parts of the root package
	root           // keyfob itself
	wire           // what client and server share
	door           // net/http doors on an Authority, and the console
	remote         // client
	testKit        // keyfobtest
	serving        // server
	command        // cmd/keyfob
	example        // examples
)

// table gives each package of the module its layer, those that are still to come
// included. A path that ends in /... stands for all packages below it.
var table = map[string]layer{
	"internal/draw":    ground,
	"internal/framing": ground,
	"random":           random,

	"token":      leaf,
	"password":   leaf,
	"passphrase": leaf,
	"otp":        leaf,
	"nonce":      leaf,
	"kdf":        leaf,
	"passhash":   leaf,
	"csrf":       leaf,

	"store":           contract,
	"store/storetest": suite,
	"store/memory":    backend,
	"store/sqlite":    backend,
	"store/postgres":  backend,
	"store/redis":     backend,

	"internal/cache":     inner,
	"internal/ratelimit": inner,
	"internal/audit":     inner,
	"internal/seal":      inner,
	"internal/lastuse":   inner,

	"":               root,
	"bearer":         door,
	"session":        door,
	"link":           door,
	"server/console": door,
	"client":         remote,
	"keyfobtest":     testKit,

	"internal/oas":        wire,
	"internal/strictjson": wire,
	"server":              serving,
	"cmd/keyfob":          command,
	"examples/...":        example,

	"internal/needs":  testOnly,
	"internal/layers": testOnly,
	"scripts/...":     tool,

	"scripts/consttime": example, // it counts the instructions of what users import
}

// rule says what the packages of one layer may import, in a sentence and in
// terms that can be checked.
type rule struct {
	says string
	from []layer

	// few limits what comes from other modules to the module paths in others;
	// without it any module is allowed, and go.mod is where they are chosen.
	few    bool
	others []string
}

var belowRoot = []layer{ground, random, leaf, contract}

var rules = map[layer]rule{
	ground: {
		says: "internal/draw and internal/framing stand on the standard library alone",
		few:  true,
	},
	random: {
		says: "random may import internal/draw and the standard library",
		from: []layer{ground},
		few:  true,
	},
	leaf: {
		says:   "a leaf may import random, internal/draw, the standard library and golang.org/x/crypto, and no other leaf",
		from:   []layer{ground, random},
		few:    true,
		others: []string{"golang.org/x/crypto"},
	},
	contract: {
		says: "store may import the leaves and what is below them",
		from: []layer{ground, random, leaf},
	},
	backend: {
		says: "a store may import the package store and no other package of keyfob",
		from: []layer{contract},
	},
	suite: {
		says: "store/storetest may import the package store and no other package of keyfob",
		from: []layer{contract},
	},
	inner: {
		says: "an internal part of the root package may import store and what is below it",
		from: belowRoot,
	},
	root: {
		says: "the root package may import its internal parts, store and what is below it, and names no concrete store",
		from: append([]layer{inner}, belowRoot...),
	},
	wire: {
		says: "generated API code imports no package of keyfob",
	},
	door: {
		says: "a door may import the root package and what is below it, no other door, and names no concrete store",
		from: append([]layer{root, inner}, belowRoot...),
	},
	remote: {
		says: "client may import internal/oas, the root package and what is below it, and names no concrete store",
		from: append([]layer{root, inner, wire}, belowRoot...),
	},
	testKit: {
		says: "keyfobtest may import concrete stores, the root package and what is below it",
		from: append([]layer{root, inner, backend}, belowRoot...),
	},
	serving: {
		says: "server may import the doors, client, internal/oas, the root package and what is below it, and names no concrete store",
		from: append([]layer{root, inner, wire, door, remote}, belowRoot...),
	},
	command: {
		says: "the command may import everything but what is there for tests",
		from: append([]layer{root, inner, wire, door, remote, serving, backend}, belowRoot...),
	},
	example: {
		says: "an example may import what users may import",
		from: append([]layer{root, door, remote, serving, backend, testKit, suite}, random, leaf, contract),
	},
	testOnly: {says: "what is there for tests imports no package of keyfob"},
	tool:     {says: "a program that checks the repository imports no package of keyfob"},
}

// extra names the modules that one package may import beyond its layer's.
var extra = map[string][]string{
	"passphrase": {"github.com/sethvargo/go-diceware"},
	"passhash":   {"golang.org/x/text"}, // normalization, which the standard library does not have
}
