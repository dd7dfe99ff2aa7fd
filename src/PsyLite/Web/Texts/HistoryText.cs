namespace PsyLite.Web;

/// <summary>Words of the drawer: conversations that are kept, and the ways to the other views.</summary>
public sealed record HistoryText
{
    public required string Menu { get; init; }

    public required string Title { get; init; }

    public required string Search { get; init; }

    /// <summary>With {0} for the number of conversations found.</summary>
    public required string Found { get; init; }

    public required string NothingFound { get; init; }

    public required string Empty { get; init; }

    public required string NotKept { get; init; }

    public required string Today { get; init; }

    public required string Yesterday { get; init; }

    public required string LastWeek { get; init; }

    public required string Earlier { get; init; }

    /// <summary>With {0} for the conversation's title.</summary>
    public required string More { get; init; }

    public required string Rename { get; init; }

    public required string NewName { get; init; }

    public required string Save { get; init; }

    public required string Cancel { get; init; }

    public required string Delete { get; init; }

    public required string ReallyDelete { get; init; }

    public required string Deleted { get; init; }

    public required string Temporary { get; init; }

    public required string TemporaryHint { get; init; }

    /// <summary>Where the engine's cache on disk is turned on.</summary>
    public required string TemporaryCached { get; init; }

    public required string TemporaryOn { get; init; }

    public required string CheckIns { get; init; }

    public required string Settings { get; init; }

    public required string Back { get; init; }

    public static HistoryText Chinese { get; } = new()
    {
        Menu = "对话记录与菜单",
        Title = "以前的对话",
        Search = "在对话里找",
        Found = "找到 {0} 段对话",
        NothingFound = "没有找到。换个词试试？",
        Empty = "还没有保存的对话。",
        NotKept = "现在不保存对话。想保存，可以在“设置”里打开。",
        Today = "今天",
        Yesterday = "昨天",
        LastWeek = "最近七天",
        Earlier = "更早",
        More = "“{0}”的更多操作",
        Rename = "改名",
        NewName = "新的名字",
        Save = "保存",
        Cancel = "取消",
        Delete = "删除",
        ReallyDelete = "删除后找不回来。确定删除？",
        Deleted = "已经删除。",
        Temporary = "临时对话",
        TemporaryHint = "不写进硬盘，关掉页面几分钟后就消失",
        TemporaryCached = "不进对话记录；但这台电脑开了模型缓存，它可能加密留在硬盘上",
        TemporaryOn = "临时对话：不会保存",
        CheckIns = "心情与自评",
        Settings = "设置",
        Back = "回到对话",
    };

    public static HistoryText English { get; } = new()
    {
        Menu = "Conversations and menu",
        Title = "Earlier conversations",
        Search = "Search in conversations",
        Found = "Found in {0} conversations",
        NothingFound = "Nothing found. Another word, perhaps?",
        Empty = "No conversation is kept yet.",
        NotKept = "Conversations are not kept now. You can change that in Settings.",
        Today = "Today",
        Yesterday = "Yesterday",
        LastWeek = "Last seven days",
        Earlier = "Earlier",
        More = "More for “{0}”",
        Rename = "Rename",
        NewName = "New name",
        Save = "Save",
        Cancel = "Cancel",
        Delete = "Delete",
        ReallyDelete = "It cannot be brought back. Delete it?",
        Deleted = "Deleted.",
        Temporary = "Temporary chat",
        TemporaryHint = "Never written to the disk; gone a few minutes after you close the page",
        TemporaryCached = "Not among your conversations; but the model's cache is on here and may leave it, encrypted, on the disk",
        TemporaryOn = "Temporary chat: nothing is kept",
        CheckIns = "Mood and check-ins",
        Settings = "Settings",
        Back = "Back to the conversation",
    };
}
