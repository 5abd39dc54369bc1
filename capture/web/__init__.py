"""Recording in a browser: one page, served by this machine, judged by the same gate as the window.

`serve` runs it around one `Sitting`. `desk` is what the page may ask, without HTTP; `app` gives that its addresses. Who
may ask and how much, HTTPS, and the camera in the browser are `aslkit.web`'s. The page is page.html, page.css and the
scripts beside them; nothing comes from elsewhere.
"""
