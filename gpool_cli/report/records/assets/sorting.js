// Which rows of a table are shown, and in which order.

const collator = new Intl.Collator("en", { numeric: true });

// What is not known stands at the end, in either direction.
function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  return direction * (typeof a === "number" ? a - b : collator.compare(a, b));
}

function sorted(order, valueOf, direction) {
  return order.sort((a, b) => compare(valueOf(a), valueOf(b), direction) || a - b);
}

// Rows that have every word of a text somewhere, upper or lower case.
function makeFilter(rows, textOf) {
  let texts = null;
  return (text) => {
    const all = Array.from(rows, (_, i) => i);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return all;
    texts ??= rows.map((row) => textOf(row).toLowerCase());
    return all.filter((i) => words.every((word) => texts[i].includes(word)));
  };
}
