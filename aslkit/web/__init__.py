"""What pages that this machine serves have in common: who may ask and how much, HTTPS, the camera in the browser.

`service` runs a page; `door` decides who may ask, `limits` how much; `certificate` makes HTTPS possible where the page
is opened from another machine; `parts` hands out a page's files. Nothing comes from elsewhere.
"""
