package password

// Bounds of what is built for a policy.
const (
	maxStates = 1 << 18 // states of the automaton
	maxSteps  = 1 << 22 // their transitions, one for each atom
	maxTable  = 1 << 23 // words of 8 bytes in the table of counts
)

// An automaton reads passwords. It has one start, and transitions by character;
// those that lead nowhere are left out.
//
// What the classes and the forbidden substrings need to know of the text so far
// is its base. A state is a base and, where a longest run is set, the last
// character's kind and how often it came in a row.
type automaton struct {
	*atoms
	states []state // 0 is the start
	bases  []base
	spans  []span
	edges  int // of all bases
}

// A base has the transitions that its states share.
type base struct {
	edges, final []edge // final: of the last character of a password
	accepts      bool
	expanded     bool // while it is built: has its edges
}

// An edge is the transitions of some characters to one state.
type edge struct {
	to   int32
	ways uint32 // how many characters
	// Which characters: spans[from:from+n].
	from, n int32
	kind    int32 // or, without a longest run, the base that follows
}

// A span is characters that are in a row in atoms.chars.
type span struct{ from, n int32 }

// A state's transitions are the edges of its base, except that the last
// character does not go along with the others of its edge: it leads to repeat,
// or nowhere.
type state struct {
	base      int32
	kind, run int32 // of the last character; none without a longest run
	ex        int32 // the edge that the last character is of, or none
	exFinal   int32 // the same among the final edges
	repeat    int32 // or dead
}

// none stands for no edge and no kind.
const none = -1

// A kind is what repeating a character leads to from some base: two characters
// are of the same kind there if the next one leads to the same base, and are of
// the same kind there again.
type kind struct {
	to, next int32 // base and kind; next is the kind itself where the base stays
	last     bool  // may be at the end
}
