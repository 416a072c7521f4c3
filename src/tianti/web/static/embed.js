// Shows as many entries as the address asks for: ?top=5. What is no such number is ignored.
"use strict";

const wanted = new URLSearchParams(location.search).get("top");
if (/^[1-9][0-9]*$/.test(wanted ?? "")) {
  document.querySelectorAll("tbody tr").forEach((row, at) => {
    row.hidden = at >= Number(wanted);
  });
}
