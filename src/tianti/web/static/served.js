// Says why a page that was opened as a file does less: browsers load no modules from there, but scripts like this one.
"use strict";

document.getElementById("unserved").hidden = location.protocol !== "file:";
