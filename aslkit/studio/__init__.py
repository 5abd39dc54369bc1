"""The studio: one web page on which a person records, reviews, trains, tries and shares.

`serve` runs it; `app` maps HTTP requests to the functions in `parts`, by routes in `api`; `jobs` runs training and
other long tasks in processes of their own; `events` tells all open pages what has changed. The page is in `page`: plain
JavaScript modules and lit-html, which need no build step and load nothing from other servers (ADR 21).
"""
