// The form's own controls that become comboboxes:
//   select[data-search]      one or many of what the server finds for what is typed
//   select[data-combobox]    one or many of its options; "long": only if they are many
//   input[list]              words of one's own, and a list of some
//   input[data-labels]       words, each a chip
export const LISTED = "select:is([data-search], [data-combobox]), input[list]:not([data-chip]), input[data-labels]";
