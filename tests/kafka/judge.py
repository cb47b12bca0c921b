"""What must be true of the records that were read back."""

from collections import defaultdict


def once_and_in_order(records, expected, resets):
    """All expected seqs are there; per key in order; doubled only after one of the `resets` (new
    producers), with equal ids. Returns how many were doubled."""
    seen, ids, doubled = defaultdict(list), {}, 0
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        if record.seq in ids:
            doubled += 1
            assert ids[record.seq] == record.id, f"{record.seq} came twice with different ids"
        else:
            ids[record.seq] = record.id
            seen[record.key].append(record.seq)
    missing = sorted(set(expected) - set(ids))
    assert not missing, f"{len(missing)} are missing: {missing[:10]}"
    extra = sorted(set(ids) - set(expected))
    assert not extra, f"{len(extra)} should not be there: {extra[:10]}"
    assert doubled == 0 or resets > 0, f"{doubled} came twice without a RESET"
    assert len(set(ids.values())) == len(ids), "two records have one id"
    for key, seqs in seen.items():
        at = next((i for i in range(1, len(seqs)) if seqs[i] < seqs[i - 1]), None)
        assert at is None, f"{key}: {seqs[at]} came behind {seqs[at - 1]}"
    return doubled
