"use strict";

// Elements are made here alone, and what comes from a run is only ever text in them:
// no name of a file can become markup.
function element(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function section(title, ...children) {
  return element("section", {}, element("h2", {}, title), ...children);
}

const countFormat = new Intl.NumberFormat("en-US");

function countText(count) {
  return countFormat.format(count);
}

// "1 result", "2,000 results".
function countOf(count, noun) {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}
