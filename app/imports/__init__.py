"""Spreadsheets in: a file of stock or needs becomes postings, row by row.

Words: import, sheet, cell, refused row, error workbook, template. Invariants: a file is measured before it is parsed
and parsed by a process that may use little; good rows are kept, refused ones named by their cell; the same row again
is known, and doubles nothing.
"""
