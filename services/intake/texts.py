"""The words of every refusal and warning of intake: stable code → what, what was expected, how to mend it.

Each in Vietnamese and English; `{…}` is filled in by `problem`.
"""

from __future__ import annotations

CATALOGUE: dict[str, tuple[str, str, str, str, str, str]] = {
    # code: (message vi, message en, expected vi, expected en, mend vi, mend en)
    "submission_id_reused": (
        "Mã hồ sơ {id} đã được dùng cho một hồ sơ có nội dung khác.",
        "Submission id {id} was already used for a submission with other content.",
        "một mã hồ sơ chưa dùng", "a submission id that was not used yet",
        "Hồ sơ đầu vẫn giữ nguyên. Nếu muốn sửa, gửi hồ sơ mới với mã mới{naming_vi}.",
        "The first one is kept. To change it, send a new submission with a new id{naming_en}.",
    ),
    "already_accepted": (
        "Đã có phiên bản {version} được chấp nhận với nội dung khác.",
        "Version {version} is already accepted with other content.",
        "corrects_version = {version}", "corrects_version = {version}",
        "Gửi lại như bản sửa của phiên bản {version}.", "Send it again as a correction of version {version}.",
    ),
    "not_current_version": (
        "Bản sửa nêu phiên bản {named}, phiên bản hiện hành là {version}.",
        "The correction names version {named}; the current version is {version}.",
        "corrects_version = {version}", "corrects_version = {version}",
        "Xem lại phiên bản {version}, rồi gửi bản sửa của phiên bản đó.",
        "Look at version {version}, then send a correction of that version.",
    ),
    "nothing_to_correct": (
        "Bản sửa nêu phiên bản {named}, nhưng chưa có phiên bản nào được chấp nhận.",
        "The correction names version {named}, but nothing is accepted yet.",
        "không có corrects_version", "no corrects_version",
        "Gửi lại như hồ sơ đầu tiên, không có corrects_version.", "Send it again as a first submission.",
    ),
    "unit_unknown": (
        "Không có đơn vị cấp xã mang mã {code} vào ngày {on}.",
        "There is no commune with code {code} on {on}.",
        "mã 5 chữ số trong danh mục ngày {on}{candidates_vi}", "a 5-digit code of the register on {on}{candidates_en}",
        "Sửa mã đơn vị; giữ các chữ số 0 ở đầu.", "Correct the code; keep its leading zeros.",
    ),
    "register_gap": (
        "Mã {code} không có trong danh mục trước 01/07/2025; đơn vị có thể đã bị bãi bỏ sớm hơn.",
        "Code {code} is not in the last register before 1 July 2025; the unit may have been abolished earlier.",
        "một mã trong danh mục{candidates_vi}", "a code of the register{candidates_en}",
        "Hồ sơ được giữ lại, không mất. Bộ sẽ bổ sung danh mục; hoặc gửi lại với mã đúng.",
        "The submission is kept, not lost. The ministry will complete the register; or send it with the right code.",
    ),
    "not_entitled": (
        "Đơn vị {code} thuộc trách nhiệm báo cáo của tỉnh {entitled}, không phải tỉnh {province}.",
        "Unit {code} is reported by province {entitled}, not by province {province}.",
        "hồ sơ từ tỉnh {entitled}", "a submission from province {entitled}",
        "Tỉnh {entitled} gửi hồ sơ này trên kênh của mình.", "Province {entitled} sends it on its own channel.",
    ),
    "wrong_rubric": (
        "Kỳ {period} được đánh giá theo {expected}, không theo {rubric}.",
        "Period {period} is assessed under {expected}, not under {rubric}.",
        "rubric = {expected}", "rubric = {expected}",
        "Đánh giá lại theo quy định có hiệu lực ngày 31/12/{period}.",
        "Assess by the rule in force on 31 December {period}.",
    ),
    "no_rubric": (
        "Không có quy định nào có hiệu lực cho kỳ {period}.", "No rule was in force for period {period}.",
        "một kỳ đánh giá có quy định", "a period with a rule in force",
        "Sửa kỳ đánh giá.", "Correct the period.",
    ),
    "period_not_open": (
        "Kỳ {period} mở nhận hồ sơ từ ngày {opens}.", "Period {period} opens on {opens} (day/month/year).",
        "ngày nhận từ {opens}", "reception on or after {opens}",
        "Gửi lại từ ngày {opens}, hoặc sửa kỳ đánh giá.",
        "Send it again on or after {opens}, or correct the period.",
    ),
    "centre_unknown": (
        "Trung tâm {centre} chưa được đăng ký.", "Centre {centre} is not registered.",
        "mã của một trung tâm đã đăng ký", "the id of a registered centre",
        "Gửi centre.registered cho trung tâm trước, rồi gửi lại hồ sơ này.",
        "Send centre.registered for it first, then send this again.",
    ),
    "centre_of_other_province": (
        "Trung tâm {centre} do tỉnh {entitled} đăng ký.", "Centre {centre} is registered by province {entitled}.",
        "một trung tâm của tỉnh {province}", "a centre of province {province}",
        "Kiểm tra mã trung tâm.", "Check the centre's id.",
    ),
    "date_in_future": (
        "Ngày {date} sau ngày nhận hồ sơ {received}.", "The date {date} lies after the day of reception {received}.",
        "một ngày không sau {received}", "a day not after {received}",
        "Sửa ngày.", "Correct the date.",
    ),
    "year_out_of_range": (
        "Năm {year} nằm ngoài phạm vi cho phép.", "Year {year} is out of range.",
        "từ {low} đến {high}", "from {low} to {high}",
        "Sửa năm.", "Correct the year.",
    ),
    "name_differs": (
        "Tên gửi lên “{given}” khác danh mục “{registered}”.",
        "The name sent, “{given}”, differs from the register's “{registered}”.",
        "{registered}", "{registered}",
        "Không ảnh hưởng kết quả: mã quyết định. Kiểm tra xem mã có đúng đơn vị không.",
        "No effect: the code decides. Check that the code is the right unit's.",
    ),
    "bad_header": (
        "Tiêu đề {detail} của bản ghi không phải văn bản UTF-8.", "Header {detail} of the record is not UTF-8 text.",
        "tiêu đề UTF-8", "UTF-8 headers", "Sửa phần mềm gửi.", "Mend the sending software.",
    ),
    "missing_header": (
        "Bản ghi thiếu tiêu đề CloudEvents: {detail}.", "The record lacks CloudEvents headers: {detail}.",
        "ce_specversion, ce_id, ce_source, ce_type", "ce_specversion, ce_id, ce_source, ce_type",
        "Gửi ở chế độ CloudEvents nhị phân.", "Send in CloudEvents binary mode.",
    ),
    "unknown_type": (
        "Loại sự kiện “{detail}” không được nhận ở kênh này.", "Event type “{detail}” is not accepted on this channel.",
        "một loại hồ sơ của hợp đồng sự kiện", "one of the submission types of the event contract",
        "Sửa tiêu đề ce_type.", "Correct the header ce_type.",
    ),
    "not_utf8": (
        "Nội dung không phải UTF-8 ({detail}).", "The body is not UTF-8 ({detail}).",
        "JSON mã hoá UTF-8", "JSON encoded in UTF-8",
        "Chuyển mã nội dung sang UTF-8 rồi gửi lại.", "Convert the body to UTF-8 and send it again.",
    ),
    "bad_json": (
        "Nội dung không phải JSON: {detail}.", "The body is not JSON: {detail}.",
        "một đối tượng JSON", "a JSON object", "Sửa phần mềm gửi.", "Mend the sending software.",
    ),
    "record_too_large": (
        "Bản ghi quá lớn: {detail}.", "The record is too large: {detail}.",
        "nhiều nhất {most_vi} byte cho cả nội dung, khoá và tiêu đề, tính sau khi giải nén",
        "at most {most_en} bytes for value, key and headers together, measured after decompression",
        "Không gửi tài liệu trong hồ sơ: chỉ gửi số hiệu hoặc đường dẫn của minh chứng, hoặc chia minh chứng cho nhiều "
        "hồ sơ.",
        "Send no documents inside it: name evidence by number or address, or split it over several submissions.",
    ),
    "record_damaged": (
        "Không thể đọc lô bản ghi: {detail}.", "The batch of records cannot be read: {detail}.",
        "lô bản ghi không nén hoặc nén bằng gzip, snappy, lz4, zstd, mã kiểm tra đúng",
        "a batch without compression or in gzip, snappy, lz4 or zstd, with a right checksum",
        "Sửa phần mềm gửi, rồi gửi lại mọi hồ sơ của lô này; hồ sơ đã nhận sẽ được nhận ra là trùng.",
        "Mend the sending software, then send every submission of the batch again; a repeat is recognised.",
    ),
    "field_missing": (
        "Thiếu trường này.", "This field is missing.", "một giá trị", "a value",
        "Thêm trường này.", "Add the field.",
    ),
    "field_unknown": (
        "Trường này không có trong hợp đồng sự kiện.", "This field is not part of the contract.",
        "không có trường này", "no such field", "Bỏ hoặc sửa tên trường.", "Remove it or correct its name.",
    ),
    "pattern": (
        "Giá trị {given} không đúng dạng.", "The value {given} does not have the right form.",
        "{expected_vi}{candidates_vi}", "{expected_en}{candidates_en}",
        "Sửa giá trị; mã là văn bản và giữ các chữ số 0 ở đầu.", "Correct it; codes are text and keep leading zeros.",
    ),
    "wrong_type": (
        "Giá trị {given} sai kiểu.", "The value {given} has the wrong type.",
        "{expected_vi}{candidates_vi}", "{expected_en}{candidates_en}",
        "Sửa kiểu của giá trị.", "Correct the type of the value.",
    ),
    "out_of_range": (
        "Giá trị {given} nằm ngoài giới hạn.", "The value {given} is out of range.",
        "{expected_vi}", "{expected_en}", "Sửa giá trị.", "Correct the value.",
    ),
    "more_problems": (
        "Còn {more} lỗi khác trong hồ sơ này.", "There are {more} more problems in this submission.",
        "hồ sơ không có lỗi", "a submission without problems",
        "Sửa các lỗi đã nêu trước, rồi gửi lại.", "Mend the ones named here first, then send it again.",
    ),
    "invalid_value": (
        "Giá trị {given} không hợp lệ.", "The value {given} is not valid.",
        "{expected_vi}", "{expected_en}", "Sửa giá trị theo yêu cầu.", "Correct the value as expected.",
    ),
    # ---- subjects of the other assessments
    "subject_form": (
        "Mã “{given}” không đúng dạng mã của loại đánh giá này.",
        "The id “{given}” does not have the form of this series' subjects.",
        "{expected_vi}{candidates_vi}", "{expected_en}{candidates_en}",
        "Sửa mã; giữ các chữ số 0 ở đầu.", "Correct the id; keep its leading zeros.",
    ),
    "level_closed": (
        "Không còn cấp huyện vào ngày chốt của kỳ {period}: cấp huyện kết thúc từ ngày {ended}.",
        "There is no district level on the cut-off date of period {period}: it ended on {ended} (day/month/year).",
        "một kỳ có ngày chốt trước {ended}", "a period whose cut-off date lies before {ended}",
        "Không đánh giá cấp huyện cho kỳ này; đánh giá cấp xã và cấp tỉnh.",
        "Assess no district for this period; assess communes and the province.",
    ),
    "province_unknown": (
        "Không có tỉnh mang mã {code} vào ngày {on}.", "There is no province with code {code} on {on}.",
        "mã 2 chữ số của một tỉnh vào ngày {on}", "the 2-digit code of a province on {on}",
        "Sửa mã tỉnh.", "Correct the province's code.",
    ),
    "subject_of_other_province": (
        "Đơn vị học tập {subject} đã được tỉnh {entitled} gửi đánh giá.",
        "Learning unit {subject} was assessed by province {entitled} before.",
        "mã đơn vị học tập của tỉnh {province}", "an id of a learning unit of province {province}",
        "Đặt cho đơn vị một mã riêng của tỉnh mình.", "Give the unit an id of your own province.",
    ),
    "area_class_without_basis": (
        "Khai khu vực {area} nhưng không nêu căn cứ.", "Area class {area} is stated without its basis.",
        "quyết định phê duyệt danh sách xã khu vực I, II, III", "the decision with the list of communes by region",
        "Vẫn được chấp nhận. Gửi bản sửa có area_class_basis.", "Accepted as it is. Send a correction that names it.",
    ),
    "content_too_large": (
        "Nội dung đánh giá có {bytes} byte.", "The content of the assessment has {bytes} bytes.",
        "nhiều nhất {most} byte, viết theo JSON với văn bản NFC", "at most {most} bytes, as JSON with its text in NFC",
        "Rút gọn minh chứng: chỉ nêu số hiệu hoặc đường dẫn của tài liệu.",
        "Shorten the evidence: name documents by number or address.",
    ),
    # ---- centres
    "closed_before_opened": (
        "Ngày kết thúc {closed} không sau ngày thành lập {opened}.",
        "The day of closing {closed} is not after the day of opening {opened}.",
        "một ngày sau {opened}", "a day after {opened}",
        "Sửa ngày thành lập hoặc ngày kết thúc.", "Correct one of the two dates.",
    ),
    "predecessor_is_itself": (
        "Trung tâm {centre} không thể là tiền thân của chính mình.", "Centre {centre} cannot be its own predecessor.",
        "mã của một trung tâm khác", "the id of another centre", "Bỏ hoặc sửa mục này.", "Remove or correct it.",
    ),
    "predecessor_twice": (
        "Trung tâm tiền thân {centre} được nêu hai lần.", "Predecessor {centre} is named twice.",
        "mỗi trung tâm một lần", "each centre once", "Bỏ một trong hai mục.", "Remove one of the two.",
    ),
    "predecessor_unknown": (
        "Trung tâm tiền thân {centre} chưa được đăng ký.", "Predecessor {centre} is not registered.",
        "mã của một trung tâm đã đăng ký", "the id of a registered centre",
        "Vẫn được chấp nhận. Kiểm tra mã; nếu đúng, đăng ký trung tâm đó kèm ngày kết thúc.",
        "Accepted as it is. Check the id; if it is right, register that centre with its day of closing.",
    ),
    # ---- recognitions
    "level_or_grade": (
        "Phải nêu đúng một trong hai: mức độ (level) hoặc xếp loại (grade).",
        "Exactly one of level and grade must be given.",
        "level hoặc grade, không phải cả hai", "level or grade, not both",
        "Ghi mức độ (Thông tư 25/2023) hoặc xếp loại (Thông tư 44/2014) theo quyết định.",
        "Give the level (Circular 25/2023) or the grade (Circular 44/2014) of the decision.",
    ),
    "recognition_needs_level": (
        "Quy định áp dụng ({rules}) công nhận theo mức độ, không theo xếp loại.",
        "The rule that applies ({rules}) recognises a level, not a grade.",
        "level = 1 hoặc 2", "level = 1 or 2", "Thay grade bằng level.", "Replace grade by level.",
    ),
    "recognition_needs_grade": (
        "Quy định áp dụng ({rules}) công nhận theo xếp loại, không theo mức độ.",
        "The rule that applies ({rules}) recognises a grade, not a level.",
        "grade theo quyết định", "the grade of the decision", "Thay level bằng grade.", "Replace level by grade.",
    ),
    "grade_unknown": (
        "Không có xếp loại “{grade}”.", "There is no grade “{grade}”.",
        "một trong: {grades}", "one of: {grades}", "Sửa xếp loại.", "Correct the grade.",
    ),
    # ---- corrections of the register
    "nothing_corrected": (
        "Bản đính chính không thay đổi gì.", "The correction changes nothing.",
        "ít nhất một đơn vị hoặc một quan hệ kế thừa", "at least one unit or one succession",
        "Nêu nội dung cần đính chính.", "Say what is to be corrected.",
    ),
    "named_twice": (
        "{what} được nêu hai lần trong một bản đính chính.", "{what} is named twice in one correction.",
        "mỗi đơn vị, mỗi quan hệ một lần", "each unit and each succession once",
        "Giữ lại một mục.", "Keep one of them.",
    ),
    "unit_without_dates": (
        "Đơn vị {code} không có ngày bắt đầu, cũng không có ngày kết thúc.",
        "Unit {code} has neither a first day nor an end.",
        "valid_from hoặc valid_to", "valid_from or valid_to",
        "Nêu ít nhất một trong hai ngày theo văn bản.", "Give at least one of both, as in the decree.",
    ),
    "unit_name_too_long": (
        "Tên đơn vị có {length} ký tự.", "The unit's name has {length} characters.",
        "nhiều nhất {most} ký tự", "at most {most} characters",
        "Nêu tên đầy đủ theo văn bản, không kèm chú thích.", "Give the full name of the decree, without any remarks.",
    ),
    "correction_too_large": (
        "Bản đính chính có {bytes} byte.", "The correction has {bytes} bytes.",
        "nhiều nhất {most} byte", "at most {most} bytes",
        "Chia thành nhiều bản đính chính; đơn vị và quan hệ kế thừa của nó phải cùng một bản.",
        "Split it into several corrections; a unit and its successions belong into one.",
    ),
    "unit_exists": (
        "Danh mục đã có đơn vị {unit}.", "The register has a unit {unit} already.",
        "một đơn vị mới", "a new unit",
        "Nếu đơn vị đó bị ghi sai, nêu nó trong changed.", "If that one is wrong, name it under changed.",
    ),
    "unit_id_unknown": (
        "Danh mục không có đơn vị {unit}.", "The register has no unit {unit}.",
        "{known_vi}", "{known_en}", "Sửa mã định danh đơn vị.", "Correct the unit's id.",
    ),
    "unit_not_in_force": (
        "Đơn vị {unit} không còn, hoặc chưa có, ngay trước ngày {on}.",
        "Unit {unit} is not in force on the day before {on}.",
        "một đơn vị còn đến ngày {on}", "a unit that exists until {on}",
        "Sửa mã đơn vị hoặc ngày hiệu lực.", "Correct the unit or the effective day.",
    ),
    "dates_reversed": (
        "Ngày kết thúc {end} không sau ngày bắt đầu {first}.", "The end {end} is not after the first day {first}.",
        "một ngày sau {first}", "a day after {first}", "Sửa một trong hai ngày.", "Correct one of the two dates.",
    ),
    "district_half_named": (
        "Huyện phải có cả mã và tên, hoặc không có cả hai.", "A district needs both code and name, or neither.",
        "district_code và district_name", "district_code and district_name",
        "Bổ sung phần còn thiếu.", "Add what is missing.",
    ),
    "succeeds_itself": (
        "Đơn vị {unit} không thể kế thừa chính mình.", "Unit {unit} cannot succeed itself.",
        "một đơn vị khác", "another unit", "Sửa một trong hai mã.", "Correct one of the two ids.",
    ),
    "succession_unknown": (
        "Danh mục không có quan hệ {predecessor} → {successor}.",
        "The register has no succession {predecessor} → {successor}.",
        "một quan hệ có trong danh mục", "a succession of the register",
        "Sửa hoặc bỏ mục này.", "Correct or remove it.",
    ),
    "code_borne_twice": (
        "Mã {code} sẽ thuộc cùng lúc {unit} và {other}.", "Code {code} would belong to {unit} and {other} at once.",
        "mỗi ngày một đơn vị cho một mã", "one unit for a code on each day",
        "Sửa ngày của một trong hai đơn vị; đơn vị cũ nêu trong ended hoặc changed.",
        "Correct the dates of one of them; name the older one under ended or changed.",
    ),
    "succession_against_dates": (
        "{predecessor} → {successor} trái với ngày của hai đơn vị.",
        "{predecessor} → {successor} contradicts the dates of the two units.",
        "đơn vị trước bắt đầu trước; kế thừa toàn bộ thì đơn vị trước đã kết thúc",
        "the predecessor began before; where it goes whole, it has ended",
        "Nêu đơn vị trước trong ended, hoặc sửa ngày, hoặc dùng share: part.",
        "Name the predecessor under ended, or correct the dates, or use share: part.",
    ),
    "one_main_successor": (
        "{unit} phải có đúng một đơn vị kế thừa chính.", "{unit} must have one main successor.",
        "is_default: true ở một quan hệ", "is_default: true in one succession",
        "Nêu lại các quan hệ của đơn vị này.", "State the successions of this unit again.",
    ),
    "whole_and_more": (
        "{unit} nhập toàn bộ vào một đơn vị, nên không thể có đơn vị kế thừa khác.",
        "{unit} goes whole to one unit, so it can have no other successor.",
        "một quan hệ whole, hoặc các quan hệ part", "one whole succession, or parts",
        "Bỏ quan hệ thừa bằng removed_successions.", "Remove the other one by removed_successions.",
    ),
    "correction_id_reused": (
        "Mã đính chính {id} đã được dùng cho một nội dung khác.",
        "Correction id {id} was already used for other content.",
        "một mã chưa dùng", "an id that was not used yet",
        "Gửi nội dung này với một mã mới.", "Send this content under a new id.",
    ),
}  # fmt: skip
