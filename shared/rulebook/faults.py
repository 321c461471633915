"""The catalogue of what can be wrong with a rule's file: what it is, what was expected, how to mend it.

Each fault has a stable code. `{names}` are filled in where the fault is found, in the notation of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from shared.contracts.base import Text


class _Entry(NamedTuple):
    what: Text
    expected: Text
    mend: Text


def _entry(what: tuple[str, str], expected: tuple[str, str], mend: tuple[str, str]) -> _Entry:
    return _Entry(*(Text(vi=vi, en=en) for vi, en in (what, expected, mend)))


class Fault(ValueError):
    """One fault of the catalogue with its values. Raised where it is found; the reader adds file and place.

    Being a `ValueError`, it may be raised by the validators of a model.
    """

    def __init__(self, code: str, /, **values: object) -> None:
        self.code = code
        entry = CATALOGUE[code]
        self.message, self.expected, self.mend = (
            Text(vi=text.vi.format(**values), en=text.en.format(**values)) for text in entry
        )
        super().__init__(f"{self.message.en}; expected {self.expected.en}; {self.mend.en}")


CATALOGUE: dict[str, _Entry] = {
    # ------------------------------------------------------------------------------------------- the file
    "file_missing": _entry(
        ("không có tệp này", "the file is missing"),
        ("một tệp YAML", "a YAML file"),
        ("khôi phục tệp từ kho mã nguồn", "restore it from the repository"),
    ),
    "file_empty": _entry(
        ("tệp trống", "the file is empty"),
        ("ít nhất các giá trị và căn cứ của chúng", "at least its values and their citation"),
        ("ghi nội dung quy định hoặc xóa tệp", "write the rule into it or remove the file"),
    ),
    "not_utf8": _entry(
        ("tệp không phải UTF-8", "is not UTF-8"),
        ("văn bản mã hóa UTF-8", "text in UTF-8"),
        ("lưu tệp dưới dạng UTF-8", "save the file as UTF-8"),
    ),
    "not_yaml": _entry(
        ("không đọc được dưới dạng YAML: {reason}", "cannot be read as YAML: {reason}"),
        ("cú pháp YAML đúng", "correct YAML"),
        ("sửa cú pháp tại dòng này", "correct the syntax on this line"),
    ),
    "no_calendar_day": _entry(
        ("không đọc được: {reason}", "cannot be read: {reason}"),
        ("ngày có thật, dạng NNNN-TT-NN", "a day that exists, as YYYY-MM-DD"),
        ("sửa ngày", "correct the date"),
    ),
    "file_too_large": _entry(
        ("tệp có hơn {limit:,} byte", "the file has more than {limit:,} bytes"),
        ("tối đa {limit:,} byte", "at most {limit:,} bytes"),
        ("bỏ phần thừa", "leave out what is no rule"),
    ),
    "too_deep": _entry(
        ("nội dung lồng nhau quá sâu", "the content is nested too deeply"),
        ("tối đa {limit} cấp lồng nhau", "at most {limit} levels"),
        ("sửa cấu trúc theo mẫu", "correct the structure"),
    ),
    "too_many_values": _entry(
        ("tệp có quá nhiều giá trị", "the file has too many values"),
        ("tối đa {limit:,} giá trị, kể cả phần được tham chiếu lại", "at most {limit:,} values, aliases written out"),
        ("bỏ phần thừa", "leave out what is no rule"),
    ),
    "alias_unknown": _entry(
        ("*{alias} tham chiếu tới nội dung chưa có trước nó", "*{alias} stands for nothing that is complete before it"),
        ("tham chiếu tới một mục đã kết thúc ở trên", "an alias of an entry that ended above"),
        ("ghi giá trị trực tiếp", "write the value itself"),
    ),
    "explicit_tag": _entry(
        ("có thẻ kiểu {tag}", "there is the tag {tag}"),
        ("giá trị không có thẻ kiểu", "values without tags"),
        ("bỏ thẻ kiểu", "remove the tag"),
    ),
    "key_no_text": _entry(
        ("khóa là một danh sách hoặc một nhóm", "a list or mapping is used as a key"),
        ("khóa là văn bản hoặc số", "a key that is text or a number"),
        ("sửa khóa", "correct the key"),
    ),
    "number_too_long": _entry(
        ("số {text} quá dài", "the number {text} is too long"),
        (
            "tối đa {limit} chữ số, số mũ từ -{limit} đến {limit}",
            "at most {limit} digits, an exponent from -{limit} to {limit}",
        ),
        ("ghi số ngắn hơn", "write a shorter number"),
    ),
    "repeated_key": _entry(
        ("khóa {key!r} xuất hiện hai lần", "the key {key!r} stands twice"),
        ("mỗi khóa một lần", "each key once"),
        ("giữ lại một khóa", "keep one of them"),
    ),
    "inexact_number": _entry(
        ("{text} không phải số chính xác", "{text} is no exact number"),
        ("số thập phân hoặc phân số hữu hạn", "a finite decimal or fraction"),
        ("ghi giá trị chính xác", "write the exact value"),
    ),
    "unexpected_file": _entry(
        ("tệp hoặc thư mục này không thuộc bộ quy định", "this file or folder has no place in the rulebook"),
        ("một trong: {expected}", "one of: {expected}"),
        ("đổi tên, chuyển chỗ hoặc xóa", "rename, move or remove it"),
    ),
    "no_folder": _entry(
        ("không có thư mục {folder}", "there is no folder {folder}"),
        ("thư mục quy định theo mẫu trong README", "a rulebook folder laid out as in the README"),
        ("sửa đường dẫn trong LANGHOC_RULEBOOK", "correct the path in LANGHOC_RULEBOOK"),
    ),
    # ------------------------------------------------------------------------------------- single entries
    "entry_missing": _entry(
        ("thiếu mục này", "this entry is missing"),
        ("mọi quy định phải có mục này", "every rule must state it"),
        ("bổ sung mục này", "add it"),
    ),
    "entry_empty": _entry(
        ("mục này trống", "this entry is empty"),
        ("nội dung; quy định không có căn cứ thì không dùng được", "text; a rule without its ground cannot be used"),
        ("ghi nội dung", "state it"),
    ),
    "unknown_key": _entry(
        ("không biết khóa này", "this key is not known here"),
        ("chỉ các khóa trong mẫu", "only the keys of the form"),
        ("xóa hoặc sửa chính tả", "remove it or correct its spelling"),
    ),
    "wrong_value": _entry(
        ("giá trị không hợp lệ", "the value does not fit"),
        ("{expected_vi}", "{expected_en}"),
        ("sửa giá trị", "correct the value"),
    ),
    # ------------------------------------------------------------------------------------- ids and dates
    "id_not_file_name": _entry(
        ("{id!r} phải là tên tệp {name!r}", "{id!r} must be the file's own name, {name!r}"),
        ("{name!r}", "{name!r}"),
        ("đổi mã hoặc đổi tên tệp", "change the id or rename the file"),
    ),
    "stands_twice": _entry(
        ("{what} {id} xuất hiện hai lần", "the {what} {id} stands twice"),
        ("mỗi mã một lần", "each id once"),
        ("giữ lại một", "keep one of them"),
    ),
    "id_used_twice": _entry(
        ("mã {id} được dùng hai lần", "{id} is used twice"),
        ("mỗi phiên bản một mã riêng", "an own id for every version"),
        ("đặt mã mới cho phiên bản sau", "give every version its own id"),
    ),
    "dates_reversed": _entry(
        ("{end} không sau {start}", "{end} is not after {start}"),
        ("ngày hết hiệu lực sau ngày bắt đầu", "an end after the start"),
        ("sửa một trong hai ngày", "correct one of the two dates"),
    ),
    "dates_overlap": _entry(
        (
            "{after} bắt đầu ngày {start} khi {before} còn hiệu lực",
            "{after} starts on {start} while {before} is still in force",
        ),
        ("mỗi ngày chỉ một phiên bản có hiệu lực", "one version in force on any day"),
        (
            "cho {before} hết hiệu lực ngày đó, hoặc cho {after} bắt đầu sau",
            "end {before} on that day or start {after} later",
        ),
    ),
    "no_successor": _entry(
        (
            "{id} hết hiệu lực ngày {end} và không có quy định nào tiếp nối",
            "{id} ended on {end} and no rule takes over on that day",
        ),
        (
            "phiên bản tiếp nối đúng ngày đó, hoặc khai báo khoảng trống",
            "a version in force from that day on, or a declared gap",
        ),
        (
            "ghi tên phiên bản tiếp nối, hoặc `successor: not_found`",
            "name the version that does, or write `successor: not_found` to declare the gap",
        ),
    ),
    "successor_without_end": _entry(
        ("{id} còn hiệu lực nên chưa có tiếp nối", "{id} has not ended, so it has no successor"),
        ("`successor` chỉ khi có `effective_to`", "`successor` only beside `effective_to`"),
        ("xóa `successor` hoặc ghi ngày hết hiệu lực", "remove the entry or state the end"),
    ),
    "none_in_force": _entry(
        ("không có phiên bản nào có hiệu lực ngày {on}", "no version was in force on {on}"),
        ("quy định có hiệu lực ngày đó; không suy từ quy định khác", "one in force that day; none is extrapolated"),
        ("bổ sung một phiên bản có căn cứ", "add one with its citation"),
    ),
    "changed_under_same_id": _entry(
        ("{id} đã ban hành nhưng nội dung khác trước", "{id} was released and its content differs from then"),
        (
            "nội dung đã ban hành (chỉ được thêm ngày hết hiệu lực và tiếp nối)",
            "what was released (only an end and a successor may be added)",
        ),
        (
            "hoàn lại nội dung, và ghi thay đổi thành phiên bản mới với mã mới",
            "undo the change, and make it a new version: give it a new id",
        ),
    ),
    "released_rule_gone": _entry(
        ("{id} đã ban hành nhưng không còn trong bộ quy định", "{id} was released and is no longer in the rulebook"),
        (
            "mọi quy định đã dùng, để tính lại được kết quả cũ",
            "every rule once used, so that old results can be recomputed",
        ),
        ("khôi phục quy định", "restore it"),
    ),
    "not_in_release": _entry(
        ("{id} chưa có trong danh sách ban hành", "{id} is not in the list of released rules"),
        ("{id}: {identity}", "{id}: {identity}"),
        ("thêm dòng này vào released.yaml", "add this line to released.yaml"),
    ),
    # ------------------------------------------------------------------------------------------- rubrics
    "no_rubric": _entry(
        ("không có bộ tiêu chí nào", "holds no rubric"),
        ("ít nhất một; không có thì không chấm được gì", "at least one; without one nothing can be judged"),
        ("khôi phục các tệp từ kho mã nguồn", "restore the files from the repository"),
    ),
    "maxima_not_total": _entry(
        ("tổng điểm tối đa là {sum}, không phải {total}", "the maxima sum to {sum}, not to {total}"),
        ("tổng đúng {total}", "a sum of exactly {total}"),
        ("sửa bảng điểm", "correct the point table"),
    ),
    "criteria_differ": _entry(
        ("tiêu chí và bảng điểm khác nhau ở {odd}", "criteria and point table differ in {odd}"),
        ("mỗi tiêu chí một điểm tối đa", "one maximum for each criterion"),
        ("thêm hoặc xóa các mục đó", "add or remove these entries"),
    ),
    "bands_start": _entry(
        ("khung thấp nhất bắt đầu từ {start}", "the lowest band must start at 0, not at {start}"),
        ("bắt đầu từ 0", "a start at 0"),
        ("ghi khung thấp nhất trước và từ 0", "list the lowest band first, from 0"),
    ),
    "bands_gap": _entry(
        (
            "các khung để trống từ {low} ({below}) đến {high} ({above})",
            "the bands leave a gap from {low} ({below}) to {high} ({above})",
        ),
        ("các khung nối liền nhau", "bands that meet"),
        ("cho {below} đến {high} hoặc cho {above} từ {low}", "end {below} at {high} or start {above} at {low}"),
    ),
    "bands_overlap": _entry(
        (
            "các khung chồng nhau từ {low} ({above}) đến {high} ({below})",
            "the bands overlap from {low} ({above}) to {high} ({below})",
        ),
        ("các khung nối liền nhau", "bands that meet"),
        ("cho {below} đến {low} hoặc cho {above} từ {high}", "end {below} at {low} or start {above} at {high}"),
    ),
    "band_includes_maximum": _entry(
        ("khung {below} gồm cả điểm cuối", "only the highest band may include its maximum, not {below}"),
        ("chỉ khung cao nhất gồm cả điểm cuối", "the maximum included in the highest band alone"),
        ("bỏ `max_inclusive` của {below}", "remove `max_inclusive` from {below}"),
    ),
    "band_empty": _entry(
        ("khung {id} rỗng: {low} không nhỏ hơn {high}", "the band {id} is empty: {low} is not below {high}"),
        ("`min` nhỏ hơn `max`", "`min` below `max`"),
        ("sửa khung này", "correct the band"),
    ),
    "bands_end": _entry(
        ("khung cao nhất không gồm {total}", "the highest band must reach {total} and include it"),
        ("`max: {total}` và `max_inclusive: true`", "`max: {total}` and `max_inclusive: true`"),
        ("sửa khung cao nhất", "correct the highest band"),
    ),
    "unknown_grade": _entry(
        ("{who} nêu xếp loại {grade!r} không tồn tại", "{who} names the grade {grade!r}, which does not exist"),
        ("một trong: {known}", "one of: {known}"),
        ("sửa tên xếp loại", "correct the grade"),
    ),
    "nobody_decides": _entry(
        ("không rõ ai quyết định sau ngày {day}", "nobody decides after {day}"),
        ("cơ quan quyết định, hoặc khoảng trống `{gap}`", "an authority, or the gap `{gap}`"),
        ("nêu cơ quan hoặc khai báo khoảng trống `{gap}`", "name the authority or declare the gap `{gap}`"),
    ),
    "unknown_reference": _entry(
        ("{id} dẫn tới {reference!r} không tồn tại", "{id} refers to {reference!r}, which does not exist"),
        ("một trong: {known}", "one of: {known}"),
        ("sửa hoặc bỏ dẫn chiếu", "correct or remove the reference"),
    ),
    "circular_reference": _entry(
        ("dẫn chiếu vòng tròn: {circle}", "the references run in a circle: {circle}"),
        ("dẫn chiếu một chiều", "references that lead one way"),
        ("bỏ một dẫn chiếu trong vòng", "remove one of them"),
    ),
    "evidence_counts_as": _entry(
        ("thiếu minh chứng được tính là {stated}", "missing evidence counts as {stated}"),
        ("`{allowed}` với cách chấm này", "{allowed}: under this kind of scoring it can only count as {allowed}"),
        ("sửa `no_evidence/counts_as`", "correct `no_evidence/counts_as`"),
    ),
    "minimum_unclear": _entry(
        ("quy tắc điểm tối thiểu không rõ", "the minimum rule is unclear"),
        ("đúng một trong hai: `more_than` hoặc `at_least`", "either `more_than` or `at_least`, not both and not none"),
        ("ghi như văn bản quy định", "state it as the law writes it"),
    ),
    "bands_unclear": _entry(
        ("không rõ điểm lẻ giữa hai khung xếp loại", "it is unclear what a total between two bands is"),
        (
            "đúng một trong hai: `fractional_totals` hoặc `gap_free_bands`",
            "either `fractional_totals` or `gap_free_bands`, not both and not none",
        ),
        (
            "nêu cách hiểu, hoặc dẫn điều khoản ghi các khung nối liền",
            "state how it is read, or cite the article that writes the bands without a gap",
        ),
    ),
    # ------------------------------------------------------------------------------------------- pass/fail
    "levels_differ": _entry(
        ("các mức độ là {stated}", "the levels are {stated}; they must be L1 and L2"),
        ("L1 rồi L2", "L1, then L2"),
        ("ghi đúng hai mức độ theo thứ tự này", "state these two in this order"),
    ),
    "level_above_scale": _entry(
        (
            "{id} yêu cầu mức độ cao hơn thang của chuẩn ({most})",
            "{id} asks for a level above its scale ({most})",
        ),
        ("mức độ từ 1 đến {most}", "levels from 1 to {most}"),
        ("sửa `min_level` hoặc `max_level`", "correct `min_level` or `max_level`"),
    ),
    "level_unnamed": _entry(
        ("{id} không gọi tên đủ các mức độ", "{id} does not name each of its levels"),
        ("tên cho từng mức độ từ 1 đến {most}", "a name for each level from 1 to {most}"),
        ("bổ sung `level_names` hoặc bỏ hẳn", "complete `level_names` or leave it out"),
    ),
    "threshold_missing": _entry(
        ("{id} thiếu ngưỡng của một mức độ", "{id} lacks the threshold of a level"),
        ("một ngưỡng cho L1 và một cho L2", "a threshold for L1 and for L2"),
        ("ghi cả hai ngưỡng", "state both"),
    ),
    "ground_missing": _entry(
        ("{id} cần căn cứ `{entry}`", "{id} needs the ground `{entry}`"),
        ("`{entry}` có trích dẫn", "`{entry}` with its citation"),
        ("thêm `{entry}` hoặc bỏ {id}", "add `{entry}` or remove {id}"),
    ),
    "indicators_unshared": _entry(
        (
            "các chỉ số của {criterion} không chia hết điểm tối đa {maximum}",
            "the indicators of {criterion} do not share its maximum {maximum} exactly",
        ),
        (
            "tổng điểm chỉ số đúng {maximum}, không quá 4 chữ số lẻ",
            "points that sum to {maximum}, with 4 decimals at most",
        ),
        (
            "ghi điểm từng chỉ số của {criterion} trong `point_table/indicators`",
            "state the points of each indicator of {criterion} in `point_table/indicators`",
        ),
    ),
    # ------------------------------------------------------------------------------------- standards, models
    "level_without_lower": _entry(
        ("{level} không yêu cầu {lower}", "{level} does not require {lower}"),
        ("mỗi mức độ yêu cầu mức độ ngay dưới", "each level to require the one below it"),
        (
            "thêm {lower} vào `requires` cùng căn cứ (văn bản không nói: `provisional`)",
            "add {lower} to `requires` with its ground (`provisional` where the law is silent)",
        ),
    ),
    "level_asks_less": _entry(
        ("{level} yêu cầu {id} thấp hơn mức độ dưới", "{level} asks for less of {id} than a lower level"),
        ("mức độ cao hơn yêu cầu ít nhất bằng", "at least as much at a higher level"),
        ("sửa ngưỡng", "correct the threshold"),
    ),
    "special_above_ordinary": _entry(
        (
            "{level} yêu cầu {id} ở xã đặc biệt khó khăn cao hơn xã khác",
            "{level} asks for more of {id} in a specially difficult commune than elsewhere",
        ),
        ("ngưỡng bằng hoặc thấp hơn", "the same threshold or a lower one"),
        ("sửa ngưỡng", "correct the threshold"),
    ),
    "share_unused": _entry(
        ("không mức độ nào dùng tỷ lệ {id}", "no level uses the share {id}"),
        ("mỗi tỷ lệ được dùng ít nhất một lần", "each share to be used at least once"),
        ("xóa tỷ lệ hoặc thêm điều kiện", "remove it or add the condition"),
    ),
    # ------------------------------------------------------------------------------------------ overlays
    "unknown_province": _entry(
        ("{code!r} không phải mã tỉnh vào ngày {on}", "{code!r} is no province on {on}"),
        ("mã tỉnh 2 chữ số có hiệu lực ngày đó", "a 2-digit code of a province of that day"),
        ("sửa tên thư mục hoặc ngày hiệu lực", "correct the folder's name or the dates"),
    ),
    "province_changed": _entry(
        (
            "mã {code} là {before} đến ngày {day} và là {after} từ ngày đó",
            "{code} was {before} until {day} and is {after} since",
        ),
        ("phiên bản chỉ áp dụng cho một tỉnh", "a version that holds for one province"),
        ("cho phiên bản hết hiệu lực ngày {day}", "end the version on {day}"),
    ),
    "unknown_rubric": _entry(
        (
            "bảng điểm cho {rubric!r}, không có bộ tiêu chí chấm điểm này",
            "the table is for {rubric!r}, which is no rubric with points",
        ),
        ("một trong: {known}", "one of: {known}"),
        ("sửa `rubric`", "correct `rubric`"),
    ),
    "table_is_law": _entry(
        ("bảng điểm của {rubric} do văn bản quy định", "the point table of {rubric} is set by the law itself"),
        (
            "bảng riêng chỉ thay bảng mặc định tạm thời",
            "an own table only where the national one is a provisional default",
        ),
        ("bỏ bảng này", "remove the table"),
    ),
    "table_not_decided": _entry(
        ("bảng riêng chưa có quyết định làm căn cứ", "the own table rests on no decision"),
        (
            "`provenance: found` và số, ngày của quyết định trong `citation`",
            "`provenance: found`, and number and date of the decision in `citation`",
        ),
        ("chỉ nạp bảng đã ban hành", "load a table only when it has been decided"),
    ),
    "bands_are_law": _entry(
        ("khung xếp loại của {rubric} do văn bản quy định", "the grade bands of {rubric} are set by the law itself"),
        (
            "khung riêng chỉ thay khung mặc định tạm thời",
            "own bands only where the national ones are a provisional default",
        ),
        ("bỏ `grades`", "remove `grades`"),
    ),
    "table_outside_rubric": _entry(
        (
            "bảng điểm có hiệu lực ngoài thời gian của {rubric} ({start} đến {end})",
            "the table is in force outside the days of {rubric} ({start} to {end})",
        ),
        ("hiệu lực trong thời gian của bộ tiêu chí", "dates within those of the rubric"),
        ("sửa ngày hiệu lực", "correct the dates"),
    ),
    "table_id_taken": _entry(
        ("mã bảng điểm {id!r} không bắt đầu bằng {prefix!r}", "the table's id {id!r} does not begin with {prefix!r}"),
        ("{prefix}<tên riêng>", "{prefix}<own name>"),
        ("sửa mã", "correct the id"),
    ),
    "minimum_lowered": _entry(
        (
            "{amount:,} đồng thấp hơn mức tối thiểu {minimum:,} đồng ({law})",
            "{amount:,} đồng is below the legal minimum of {minimum:,} đồng ({law})",
        ),
        ("ít nhất bằng mức đó; tỉnh chỉ được hỗ trợ cao hơn", "at least that; a province may only grant more"),
        ("nâng mức này", "raise it"),
    ),
    # ---------------------------------------------------------------------------- ranking, sustainability
    "measure_unclear": _entry(
        ("thước đo không quyết định đúng một lần", "a measure does not decide exactly once"),
        ("mỗi thước đo một lần; theo điểm chỉ có `total`", "each measure once; under points `total` alone"),
        ("giữ mỗi thước đo một lần", "name each once"),
    ),
    "order_of_province": _entry(
        ("tỉnh không đặt được thứ tự xếp hạng", "a province cannot set the order"),
        ("một thứ tự chung để mọi bảng xếp hạng so sánh được", "one order makes all rankings comparable"),
        ("bỏ `order`", "remove `order`"),
    ),
    "scope_of_other": _entry(
        ("{scope} không phải bảng xếp hạng của tỉnh", "{scope} is not the province's own ranking"),
        ("{own}", "{own}"),
        ("ghi {own}", "write {own}"),
    ),
    "grade_in_both": _entry(
        ("{grades} vừa hiệu quả vừa yếu", "{grades} cannot be effective and weak"),
        ("mỗi xếp loại trong một danh sách", "each grade in one list"),
        ("giữ mỗi xếp loại trong một danh sách", "keep each grade in one list"),
    ),
    # ------------------------------------------------------------------------------- calendar and goals
    "deadline_unclear": _entry(
        ("{id} không nêu rõ thời hạn", "{id} does not say when it is due"),
        ("đúng một trong `day` và `undated`", "exactly one of `day` and `undated`"),
        ("ghi ngày, hoặc nêu bằng lời nếu văn bản không có ngày", "state the day, or in words that the law names none"),
    ),
    "deadline_differs": _entry(
        ("{id} khác thời hạn của chính {rubric}", "{id} differs from the deadline of {rubric} itself"),
        ("{own}", "{own}"),
        ("sửa một trong hai theo văn bản", "correct one of the two by the law"),
    ),
    "deadline_missing": _entry(
        ("lịch không có thời hạn nộp hồ sơ của {rubric}", "the calendar lacks the dossier of {rubric}"),
        ("mỗi bộ tiêu chí một dòng có `dossier: true`", "one row with `dossier: true` per rubric"),
        ("bổ sung dòng này", "add the row"),
    ),
    "goal_before_scheme": _entry(
        ("{id} có năm đích {year} trước khi chương trình bắt đầu {since}", "{id} is due in {year}, before {since}"),
        ("năm đích từ năm bắt đầu trở đi", "a year not before that in which its scheme begins"),
        ("sửa một trong hai năm", "correct one of the two years"),
    ),
    "goal_above_elsewhere": _entry(
        ("{id} đòi hỏi vùng khó khăn cao hơn nơi khác", "{id} asks for more in difficult areas than elsewhere"),
        ("tối đa bằng giá trị chung", "at most the value of all areas"),
        ("sửa `value_difficult_area`", "correct `value_difficult_area`"),
    ),
    # ---------------------------------------------------------------------------------- values of policies
    "area_class_missing": _entry(
        ("thiếu giá trị cho {missing}", "no value for {missing}"),
        ("mỗi khu vực một giá trị", "every area class needs one"),
        ("bổ sung", "add it"),
    ),
    "minima_in_file": _entry(
        ("tệp ghi `minima`", "the file states `minima`"),
        ("không ghi: mức tối thiểu theo luật lấy từ quy định có hiệu lực", "nothing: it follows from the law in force"),
        ("xóa mục này", "remove the entry"),
    ),
    "factors_too_fine": _entry(
        ("mẫu số chung của các hệ số quá dài", "the common denominator of the factors is too long"),
        ("tối đa {limit} chữ số", "at most {limit} digits"),
        (
            "ghi các hệ số và mốc điểm bằng số thập phân ngắn hoặc phân số có mẫu số chung",
            "write factors and points as short decimals, or as fractions with a common denominator",
        ),
    ),
    "scale_not_one": _entry(
        ("hệ số hiệu quả được tính theo {count} cách", "performance is weighed in {count} ways"),
        (
            "đúng một trong by_grade, by_score_bands, by_score_line",
            "exactly one of by_grade, by_score_bands, by_score_line",
        ),
        ("giữ lại một", "keep one of them"),
    ),
    "scale_empty": _entry(
        ("by_grade không có xếp loại nào", "by_grade names no grade"),
        ("mỗi xếp loại của bộ tiêu chí một hệ số", "a factor for every grade of the rubric"),
        ("bổ sung các hệ số", "add the factors"),
    ),
    "scale_start": _entry(
        ("thang điểm bắt đầu từ {score}", "the scale starts at {score} points"),
        ("bắt đầu từ 0", "a start at 0"),
        ("bổ sung mức 0 điểm", "add the factor of 0 points"),
    ),
    "scale_end": _entry(
        ("đường hệ số kết thúc ở {score} điểm", "the line ends at {score} points"),
        ("kết thúc ở {top}", "an end at {top}"),
        ("bổ sung mức {top} điểm", "add the factor of {top} points"),
    ),
    "scale_not_rising": _entry(
        ("mức {after} điểm đứng sau mức {before} điểm", "{after} points follow {before} points"),
        ("điểm tăng dần", "points that rise"),
        ("sắp xếp lại", "put them in order"),
    ),
    "scale_falls": _entry(
        (
            "{after} điểm có hệ số {high}, thấp hơn {low} của {before} điểm",
            "{after} points weigh {high}, less than the {low} of {before} points",
        ),
        ("điểm cao hơn không có hệ số thấp hơn", "more points that never weigh less"),
        ("sửa hệ số", "correct the factors"),
    ),
    "size_bands_unclear": _entry(
        ("các mức quy mô không phủ mọi dân số đúng một lần", "the size bands do not cover every population once"),
        (
            "các mức `up_to` tăng dần, chỉ mức cuối để mở",
            "size bands that rise, where only the last one is open (`up_to: null`)",
        ),
        ("sửa các mức", "correct the bands"),
    ),
    "counting_day_unclear": _entry(
        ("`use: {use}` không đi với `counts: {counts}`", "`use: {use}` does not go with `counts: {counts}`"),
        (
            "`counts` (first_day hoặc last_day) với `use: months`, và chỉ khi đó",
            "`counts` (first_day or last_day) with `use: months`, and only there",
        ),
        ("sửa một trong hai", "correct one of the two"),
    ),
    # ------------------------------------------------------------------ policies that do not fit their subject
    "factor_missing": _entry(
        ("không có hệ số cho kết quả {result} của {centre}", "there is no factor for the result {result} of {centre}"),
        ("hệ số cho mọi kết quả", "a factor for every result"),
        ("bổ sung hệ số vào chính sách", "add it to the policy"),
    ),
    "step_too_coarse": _entry(
        (
            "đơn vị {step} đồng không chia hết {amount:,} đồng ({what})",
            "{step} does not divide {amount:,} đồng ({what})",
        ),
        ("một ước số của mọi mức tối thiểu", "a divisor of every minimum"),
        ("sửa đơn vị làm tròn", "correct the rounding step"),
    ),
}

_OWN = {"missing": "entry_missing", "extra_forbidden": "unknown_key", "string_too_short": "entry_empty"}
"""Pydantic's kinds of error that have an entry of their own."""

_EXPECTED = {
    "bool_type": "true hoặc false",
    "date_from_datetime_parsing": "ngày dạng NNNN-TT-NN",
    "date_type": "ngày dạng NNNN-TT-NN",
    "decimal_max_digits": "số có tối đa {max_digits} chữ số",
    "decimal_max_exponent": "số mũ từ -{limit} đến {limit}",
    "decimal_max_places": "số có tối đa {decimal_places} chữ số thập phân",
    "decimal_parsing": "một số",
    "decimal_type": "một số",
    "decimal_whole_digits": "số có tối đa {whole_digits} chữ số trước dấu thập phân",
    "dict_type": "các mục dạng `khóa: giá trị`",
    "enum": "một trong: {expected}",
    "greater_than": "lớn hơn {gt}",
    "greater_than_equal": "từ {ge} trở lên",
    "int_type": "số nguyên",
    "is_instance_of": "số chính xác: số nguyên, số thập phân hoặc phân số `p/q`",
    "less_than": "nhỏ hơn {lt}",
    "less_than_equal": "tối đa {le}",
    "list_type": "danh sách",
    "literal_error": "một trong: {expected}",
    "model_attributes_type": "các mục dạng `khóa: giá trị`",
    "model_type": "các mục dạng `khóa: giá trị`",
    "string_pattern_mismatch": "văn bản theo mẫu {pattern}",
    "string_too_long": "văn bản tối đa {max_length} ký tự",
    "string_too_short": "văn bản ít nhất {min_length} ký tự",
    "string_type": "văn bản",
    "too_long": "tối đa {max_length} mục",
    "too_short": "ít nhất {min_length} mục",
    "union_tag_invalid": "một trong: {expected_tags}",
    "union_tag_not_found": "mục {discriminator}",
}
"""What was expected, in Vietnamese, by Pydantic's kind of error; it says the same in English itself."""


def fault_of(error: ErrorDetails) -> Fault:
    """The fault behind one of Pydantic's errors: one of ours that a validator raised, or one of its own kinds."""
    kind, cause = error["type"], error.get("ctx", {}).get("error")
    if isinstance(cause, Fault):
        return cause
    if kind in _OWN:
        return Fault(_OWN[kind])
    expected = expected_of(error)
    return Fault("wrong_value", expected_vi=expected.vi, expected_en=expected.en.removeprefix("Input should be "))


def expected_of(error: Mapping[str, Any]) -> Text:
    """What one of Pydantic's own kinds of error says was expected, in words."""
    kind, english = error["type"], error["msg"]
    vietnamese = _EXPECTED[kind].format(**error.get("ctx", {})) if kind in _EXPECTED else english
    return Text(vi=vietnamese, en=english)
