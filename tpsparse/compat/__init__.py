def apply_mends() -> None:
    pass
