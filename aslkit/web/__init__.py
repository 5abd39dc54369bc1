"""Local web pages for recording and live recognition.

`server` runs a page; `access_control` and `request_limits` decide which requests are accepted; `active_page` lets one
browser window at a time send frames; `certificate` provides HTTPS, which browsers require for camera access from other
machines; `static_files` serves the page's files. Pages load nothing from other servers.
"""
