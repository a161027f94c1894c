"""The query language: one parse, three readers.

`parse.parse(text)` gives a `Query`; `predicate.compile_predicate` answers it for facts,
`sql.condition` for the findings table, `canonical.write` writes it back. `form` takes a
query apart for the rule form. The predicate's answer is the meaning:

- `key:value` is a tag. `@path` is a core field (`facts.CORE_FIELDS`), `@workflow.…` reads
  the workflow, any other path the attributes. `title:` is `@title:`, so a tag whose key is
  `title` cannot be asked for. Keys hold no `:` and no wildcard.
- Tags and attributes compare case-sensitively, closed lists of names (severity, status,
  type, who made the ticket, its status) in any case, free text in any case of A-Z.
- At each step of a path, and at its end, an array stands for its elements: any may match.
  An array inside an array, and an object, are only present (`*`), equal to nothing.
- Missing: null, an empty array or object, an empty text of a core field, `none` as ticket.
  A missing field matches nothing, except through `-`. An empty text of a tag or attribute
  is a value.
- A number equals every plain text of it (`7.5`, `7.50`; not `1e3`, not `007`); a text equals
  only itself. Ranges take numbers and texts that plainly write one. `true` is a text.
- A day (UTC) of a time field is the whole day: `<=2026-11-23` holds its last second,
  `>2026-11-23` begins on the 24th. Times are ISO 8601 or milliseconds since 1970.
- Free text looks for whole words in title, description and resource name; a word is
  letters and digits, so `payments` is in `payments_api`. There `*` and `?` stay within a
  word. A bare `*` matches everything.
- `-1` right after `:` is a number; inside a group `-` is always "not": `n:(2 OR "-1")`.
- Quoted and bare text know the same escapes; a backslash before anything else is an error.
"""
