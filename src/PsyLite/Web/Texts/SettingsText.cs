namespace PsyLite.Web;

/// <summary>Words of the settings.</summary>
public sealed record SettingsText
{
    public required string Title { get; init; }

    public required string Saved { get; init; }

    public required string NotSaved { get; init; }

    public required string Keeping { get; init; }

    public required string Humour { get; init; }

    public required string HumourHint { get; init; }

    public required string Age { get; init; }

    public required string Region { get; init; }

    public required string RegionHint { get; init; }

    public required string RegionUnknown { get; init; }

    /// <summary>ISO 3166 codes, with INTL for other places, and how people call them.</summary>
    public required IReadOnlyList<(string Code, string Name)> Regions { get; init; }

    public required string Contact { get; init; }

    public required string ContactHint { get; init; }

    public required string ContactName { get; init; }

    public required string ContactReach { get; init; }

    public required string ContactConsent { get; init; }

    public required string ContactConsentNeeded { get; init; }

    public required string ContactSave { get; init; }

    public required string ContactRemove { get; init; }

    public required string Data { get; init; }

    public required string DataHint { get; init; }

    public required string ExportHtml { get; init; }

    public required string ExportJson { get; init; }

    public required string EraseAll { get; init; }

    public required string EraseHint { get; init; }

    public required string EraseConfirm { get; init; }

    public required string AgeChange { get; init; }

    public required string Erased { get; init; }

    public required string Appearance { get; init; }

    public static SettingsText Chinese { get; } = new()
    {
        Title = "设置",
        Saved = "已经记下。",
        NotSaved = "没能记下来，请再试一次。",
        Keeping = "把对话留在 PsyLite 所在的电脑上",
        Humour = "开心的时候，可以给我看相声",
        HumourHint = "只会折叠着放在回复下面，点开才看得到。",
        Age = "年龄",
        AgeChange = "重新选择",
        Region = "你在哪里",
        RegionHint = "求助电话会换成当地的。",
        RegionUnknown = "不说",
        Regions = [("CN", "中国大陆"), ("HK", "香港"), ("MO", "澳门"), ("TW", "台湾"), ("SG", "新加坡"), ("US", "美国"), ("GB", "英国"), ("INTL", "其他地方")],
        Contact = "紧急联系人",
        ContactHint = "危险的时候，我会提起这个人，给你一段可以直接发出去的话。我自己不会联系任何人。",
        ContactName = "怎么称呼",
        ContactReach = "电话或账号",
        ContactConsent = "我愿意把这个人的联系方式加密留在 PsyLite 所在的电脑上",
        ContactConsentNeeded = "要先勾选同意，才能记下。",
        ContactSave = "记下联系人",
        ContactRemove = "去掉联系人",
        Data = "我的数据",
        DataHint = "对话、自评和设置都是你的。可以带走，也可以全部抹掉。",
        ExportHtml = "导出成网页",
        ExportJson = "导出成 JSON",
        EraseAll = "全部清除",
        EraseHint = "所有对话、自评、设置和同意记录会立刻抹掉，找不回来。",
        EraseConfirm = "全部清除，不再保留",
        Erased = "已经全部清除。这里没有留下任何东西。",
        Appearance = "外观与语言",
    };

    public static SettingsText English { get; } = new()
    {
        Title = "Settings",
        Saved = "Noted.",
        NotSaved = "That could not be saved. Please try again.",
        Keeping = "Keep conversations on the computer PsyLite runs on",
        Humour = "Crosstalk may be offered on a good day",
        HumourHint = "Always folded under a reply; you see it only when you open it. It is in Chinese.",
        Age = "Age",
        AgeChange = "Choose again",
        Region = "Where you are",
        RegionHint = "Help lines will be those of that place.",
        RegionUnknown = "Not said",
        Regions = [("CN", "Mainland China"), ("HK", "Hong Kong"), ("MO", "Macau"), ("TW", "Taiwan"), ("SG", "Singapore"), ("US", "United States"), ("GB", "United Kingdom"), ("INTL", "Elsewhere")],
        Contact = "Emergency contact",
        ContactHint = "In danger I will mention this person and give you words you can send. I contact nobody myself.",
        ContactName = "What you call them",
        ContactReach = "Phone or account",
        ContactConsent = "I agree that this person's contact is kept, encrypted, on the computer PsyLite runs on",
        ContactConsentNeeded = "Please tick the box first.",
        ContactSave = "Save contact",
        ContactRemove = "Remove contact",
        Data = "My data",
        DataHint = "Conversations, check-ins and settings are yours: take them with you, or wipe them all.",
        ExportHtml = "Export as a web page",
        ExportJson = "Export as JSON",
        EraseAll = "Erase everything",
        EraseHint = "All conversations, check-ins, settings and consents are wiped at once and cannot be brought back.",
        EraseConfirm = "Erase everything for good",
        Erased = "Everything has been erased. Nothing is left here.",
        Appearance = "Appearance and language",
    };
}
