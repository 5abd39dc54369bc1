"""Recording in a browser, on a page served by this machine.

`serve` runs the page for one `Recording`. `controller` implements what the page can request, without HTTP; `app` maps
it to routes. Access control, request limits, HTTPS and the browser's camera are in `aslkit.web`. The page consists of
page.html, page.css and the scripts in this folder; it loads nothing from other servers.
"""
