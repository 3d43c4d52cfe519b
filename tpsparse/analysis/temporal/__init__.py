"""What a data set in TAPOS's format holds: numbers (``statistics``), pictures (``figures``), a page (``report``)."""
