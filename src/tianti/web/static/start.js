// Goes on to the language that the browser asks for. Without this script one chooses by hand.
"use strict";

const links = Array.from(document.querySelectorAll("a[hreflang]"));
const wanted = navigator.languages.map((tag) => tag.toLowerCase().split("-")[0]);
const link = wanted
  .map((tag) => links.find((each) => each.hreflang.toLowerCase().split("-")[0] === tag))
  .find(Boolean);
location.replace((link ?? links[0]).href);
