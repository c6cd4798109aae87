package password

// A trie is the automaton of Aho and Corasick for the forbidden substrings: its
// nodes are the beginnings of substrings that the text so far ends in.
type trie struct {
	symbols int     // including 0, that of all characters in no substring
	next    []int32 // node times symbols plus symbol; dead if a substring ends there
	nodes   int
}

// dead is the target of a transition that no password takes.
const dead = -1

// avoid makes the trie. Words that cannot occur in the length are left out. It
// returns nil if the trie would have more than most transitions.
func (s *spec) avoid(a *atoms, most int) *trie {
	symbol := map[rune]int32{}
	symbols := int32(1)
	for i, sym := range a.symbol {
		if sym > 0 {
			symbol[a.chars[a.start[i]]] = sym
			symbols = max(symbols, sym+1)
		}
	}
	t := &trie{symbols: int(symbols), nodes: 1}
	child := make([]int32, symbols)
	ends := []bool{false}
	for _, w := range s.words {
		if s.length > 0 && len(w) > s.length {
			continue
		}
		node := 0
		for _, r := range w {
			at := node*t.symbols + int(symbol[r])
			if child[at] == 0 {
				if len(child)+t.symbols > most {
					return nil
				}
				child[at] = int32(t.nodes)
				child = append(child, make([]int32, t.symbols)...)
				ends = append(ends, false)
				t.nodes++
			}
			node = int(child[at])
		}
		ends[node] = true
	}
	t.link(child, ends)
	return t
}

// link completes the trie, breadth first: where a node has no child, the text goes
// on as it does from the longest other beginning that it ends in.
func (t *trie) link(child []int32, ends []bool) {
	t.next = child // the root's missing children are the root
	fall := make([]int32, t.nodes)
	var queue []int32
	for sym := range t.symbols {
		if n := child[sym]; n != 0 {
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		node := queue[0]
		queue = queue[1:]
		ends[node] = ends[node] || ends[fall[node]]
		for sym := range t.symbols {
			at, other := int(node)*t.symbols+sym, t.next[int(fall[node])*t.symbols+sym]
			if n := child[at]; n != 0 {
				fall[n] = other
				queue = append(queue, n)
			} else {
				child[at] = other
			}
		}
	}
	for i, n := range t.next {
		if ends[n] {
			t.next[i] = dead
		}
	}
}
