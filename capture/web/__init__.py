"""Recording in a browser: one page, served by this machine, judged by the same gate as the window.

`serve` runs it around one `Sitting`. `desk` is what the page may ask, without HTTP; `app` gives that its addresses;
`door` decides who may ask, `limits` how much; `certificate` makes HTTPS possible where the page is opened from another
machine. The page is page.html, page.css and the scripts beside them; nothing comes from elsewhere.
"""
