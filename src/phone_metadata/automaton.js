// Labelled acyclic automata over digit strings.
//
// Every question that the phone engine asks ("which type has this number", "which
// format applies", "how much of it is the national prefix") is a function from a
// digit string to a small integer. All of them are written as one shared, minimal,
// acyclic automaton: a state has ten successors and the answer for a string that
// ends there. A state whose answer depends on nothing but the number of digits that
// are left is a leaf: the walk stops there. The C side is callsync_phone_walk().
'use strict';

// Longest string ever walked; the longest pattern of the metadata has 17 digits, so
// longer strings can be cut to this length without changing any answer.
const MAX_DIGITS = 18;

// ---- the regular expressions of the metadata: digits, classes, groups, |, {n,m}, ?, $ ----

function parseRegex(source) {
  let i = 0;
  let groups = 0;
  const fail = (why) => { throw new Error(`${why} at ${i} in /${source}/`); };

  function alternation() {
    const branches = [sequence()];
    while (source[i] === '|') { i++; branches.push(sequence()); }
    return branches.length === 1 ? branches[0] : { kind: 'alt', branches };
  }
  function sequence() {
    const items = [];
    while (i < source.length && source[i] !== '|' && source[i] !== ')') items.push(repeated());
    return { kind: 'seq', items };
  }
  function repeated() {
    const atom = single();
    if (source[i] === '?') { i++; return { kind: 'rep', atom, min: 0, max: 1 }; }
    if (source[i] === '{') {
      const m = /^\{(\d+)(?:,(\d+))?\}/.exec(source.slice(i)) || fail('bad repetition');
      i += m[0].length;
      return { kind: 'rep', atom, min: +m[1], max: m[2] === undefined ? +m[1] : +m[2] };
    }
    if (source[i] === '*' || source[i] === '+') fail('unbounded repetition');
    return atom;
  }
  function single() {
    const c = source[i];
    if (c >= '0' && c <= '9') { i++; return { kind: 'set', mask: 1 << +c }; }
    if (c === '\\') {
      if (source[i + 1] !== 'd') fail('unknown escape');
      i += 2;
      return { kind: 'set', mask: 0x3ff };
    }
    if (c === '[') return klass();
    if (c === '$') { i++; return { kind: 'end' }; }
    if (c === '(') {
      i++;
      let group = 0;
      if (source.startsWith('?:', i)) i += 2; else group = ++groups;
      const body = alternation();
      if (source[i++] !== ')') fail('missing )');
      return group ? { kind: 'group', group, body } : body;
    }
    return fail('unexpected character');
  }
  function klass() {
    let mask = 0;
    for (i++; source[i] !== ']'; ) {
      if (source[i] === '\\' && source[i + 1] === 'd') { mask |= 0x3ff; i += 2; continue; }
      const from = source[i] >= '0' && source[i] <= '9' ? +source[i] : fail('bad class');
      let to = from;
      i++;
      if (source[i] === '-') { to = +source[i + 1]; i += 2; }
      for (let d = from; d <= to; d++) mask |= 1 << d;
    }
    i++;
    return { kind: 'set', mask };
  }
  const tree = alternation();
  if (i !== source.length) fail('trailing text');
  return { tree, groups };
}

// ---- nondeterministic automaton; edges are kept in the order of preference ----

class Nfa {
  constructor() { this.nodes = []; }
  node(n) { this.nodes.push(n); return this.nodes.length - 1; }

  // Compiles the tree so that it goes on with `next`; returns the entry.
  compile(tree, next) {
    switch (tree.kind) {
      case 'set': return this.node({ mask: tree.mask, next });
      case 'end': return this.node({ end: true, eps: [next] });
      case 'seq': return tree.items.reduceRight((to, item) => this.compile(item, to), next);
      case 'alt': return this.node({ eps: tree.branches.map((b) => this.compile(b, next)) });
      case 'group': {
        const close = this.node({ save: 2 * tree.group - 1, eps: [next] });
        return this.node({ save: 2 * tree.group - 2, eps: [this.compile(tree.body, close)] });
      }
      case 'rep': {
        let to = next;
        for (let k = tree.min; k < tree.max; k++) {
          // greedy: try one more before going on
          const more = this.compile(tree.atom, to);
          to = this.node({ eps: [more, next] });
        }
        for (let k = 0; k < tree.min; k++) to = this.compile(tree.atom, to);
        return to;
      }
      default: throw new Error(tree.kind);
    }
  }
}

// ---- the shared minimal automaton ----

class Automaton {
  constructor() {
    this.nodes = [];            // {label, next: [10 ids] | null}; null: no digit may follow
    this.byKey = new Map();
    this.dead = this.intern(0, null);
  }
  // A node whose ten successors are all dead is kept as "nothing may follow".
  intern(label, next) {
    if (next && next.every((n) => n === this.dead)) next = null;
    if (label === 0 && next === null && this.dead !== undefined) return this.dead;
    const key = `${label}:${next ? next.join() : ''}`;
    let id = this.byKey.get(key);
    if (id === undefined) {
      id = this.nodes.length;
      this.nodes.push({ label, next });
      this.byKey.set(key, id);
    }
    return id;
  }

  // A set of patterns; label(tags, length) answers for a string of that length whose
  // matching patterns are the given tags. entries: [{source, tag, prefix}]; with
  // prefix, a pattern counts as matching as soon as the string starts with it.
  classify(entries, label) {
    const nfa = new Nfa();
    const starts = entries.map(({ source, tag, prefix }) => {
      const accept = nfa.node({ accept: tag });
      if (prefix) {
        const loop = nfa.node({ eps: [accept] });
        const any = nfa.node({ mask: 0x3ff, next: loop });
        nfa.nodes[loop].eps.push(any);
        return nfa.compile(parseRegex(source).tree, loop);
      }
      return nfa.compile(parseRegex(source).tree, accept);
    });
    const closure = (ids) => {
      const seen = new Set();
      const stack = [...ids];
      while (stack.length) {
        const id = stack.pop();
        if (seen.has(id)) continue;
        seen.add(id);
        const n = nfa.nodes[id];
        if (n.end) throw new Error('$ in a plain pattern');
        if (n.eps) stack.push(...n.eps);
      }
      return [...seen].filter((id) => !nfa.nodes[id].eps).sort((a, b) => a - b);
    };
    const memo = new Map();
    const build = (set, depth) => {
      const key = `${depth}:${set.join()}`;
      let id = memo.get(key);
      if (id !== undefined) return id;
      const tags = new Set(set.map((s) => nfa.nodes[s].accept).filter((t) => t !== undefined));
      let next = null;
      if (depth < MAX_DIGITS) {
        next = [];
        for (let d = 0; d < 10; d++) {
          const to = [];
          for (const s of set) {
            const n = nfa.nodes[s];
            if (n.mask !== undefined && n.mask >> d & 1) to.push(n.next);
          }
          next.push(build(closure(to), depth + 1));
        }
      } else if (set.some((s) => nfa.nodes[s].mask !== undefined && !nfa.nodes[s].loop) && !entries.some((e) => e.prefix)) {
        throw new Error(`pattern longer than ${MAX_DIGITS} digits`);
      }
      id = this.intern(label(tags, depth), next);
      memo.set(key, id);
      return id;
    };
    return build(closure(starts), 0);
  }

  // A pattern that is matched at the start of a string as a backtracking engine does
  // (first alternative that works, greedy). label(captures, end) answers for the match:
  // captures is [start1, end1, start2, ...] with undefined for groups that took no part.
  // No match is label 0.
  prefixMatch(source, label) {
    const { tree } = parseRegex(source);
    const nfa = new Nfa();
    const accept = nfa.node({ accept: true });
    const start = nfa.compile(tree, accept);
    // threads: [{id, caps}] in order of preference
    const run = (threads, depth, atEnd) => {
      const out = [];
      const seen = new Set();
      let match = null;
      const visit = (id, caps) => {
        if (match || seen.has(id)) return;
        seen.add(id);
        const n = nfa.nodes[id];
        if (n.accept) { match = { caps, end: depth }; return; }
        if (n.end && !atEnd) return;
        if (n.save !== undefined) { caps = caps.slice(); caps[n.save] = depth; }
        if (n.eps) { for (const e of n.eps) visit(e, caps); return; }
        out.push({ id, caps });
      };
      for (const t of threads) { visit(t.id, t.caps); if (match) break; }
      return { out, match };
    };
    const memo = new Map();
    const build = (kernel, depth, best) => {
      const key = JSON.stringify([depth, best, kernel.map((t) => [t.id, t.caps])]);
      let id = memo.get(key);
      if (id !== undefined) return id;
      const ended = run(kernel, depth, true).match || best;
      const { out, match } = run(kernel, depth, false);
      const found = match || best;
      let next = null;
      if (depth < MAX_DIGITS) {
        next = [];
        for (let d = 0; d < 10; d++) {
          const to = out.filter((t) => nfa.nodes[t.id].mask >> d & 1).map((t) => ({ id: nfa.nodes[t.id].next, caps: t.caps }));
          next.push(build(to, depth + 1, found));
        }
      }
      id = this.intern(ended ? label(ended.caps, ended.end) : 0, next);
      memo.set(key, id);
      return id;
    };
    return build([{ id: start, caps: [] }], 0, null);
  }

  // Numbers the nodes reachable from the roots: inner states and leaves (whose answer
  // depends on the remaining length only). Returns what the C tables need.
  freeze(roots) {
    const chain = new Map();    // node id -> labels by remaining length, or null
    const labelsOf = (id) => {
      if (chain.has(id)) return chain.get(id);
      const n = this.nodes[id];
      let labels = null;
      if (id === this.dead) labels = [];
      else if (n.next === null) labels = [n.label];
      else if (n.next.every((c) => c === n.next[0])) {
        const rest = labelsOf(n.next[0]);
        if (rest) labels = [n.label, ...rest];
      }
      chain.set(id, labels);
      return labels;
    };
    const leaves = [[]];
    const leafIndex = new Map([['', 0]]);
    const states = [];
    const ref = new Map();
    const LEAF = 0x8000;
    const visit = (id) => {
      if (ref.has(id)) return ref.get(id);
      const labels = labelsOf(id);
      if (labels) {
        const key = labels.join();
        if (!leafIndex.has(key)) { leafIndex.set(key, leaves.length); leaves.push(labels); }
        const r = LEAF | leafIndex.get(key);
        ref.set(id, r);
        return r;
      }
      const index = states.length;
      ref.set(id, index);
      const state = { label: this.nodes[id].label, next: null };
      states.push(state);
      state.next = (this.nodes[id].next).map(visit);
      return index;
    };
    const rootRefs = roots.map(visit);
    if (states.length >= LEAF || leaves.length >= LEAF) throw new Error('automaton too large for 15-bit references');
    return { states, leaves, rootRefs };
  }
}

module.exports = { Automaton, parseRegex, MAX_DIGITS };
