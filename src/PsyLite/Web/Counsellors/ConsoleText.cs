using PsyLite.Agent.Risk;

namespace PsyLite.Web.Counsellors;

/// <summary>The words of the counsellors' page.</summary>
internal sealed record ConsoleText
{
    public required string Tag { get; init; }

    public required string Title { get; init; }

    public required string Back { get; init; }

    public required string Queue { get; init; }

    public required string Loading { get; init; }

    public required string Nobody { get; init; }

    /// <summary>With the number of calls that nobody has taken.</summary>
    public required string Waiting { get; init; }

    public required string Claim { get; init; }

    public required string Open { get; init; }

    public required string Release { get; init; }

    public required string InCharge { get; init; }

    public required string NotKept { get; init; }

    public required string Conversation { get; init; }

    public required string Audited { get; init; }

    public required string Person { get; init; }

    public required string Program { get; init; }

    public required string Counsellor { get; init; }

    public required string Answer { get; init; }

    public required string Send { get; init; }

    public required string Close { get; init; }

    public required string CloseReally { get; init; }

    public required string Figures { get; init; }

    public required string FiguresNote { get; init; }

    public required string What { get; init; }

    public required string WeekName { get; init; }

    public required string MonthName { get; init; }

    public required string JustNow { get; init; }

    public required string MinutesAgo { get; init; }

    public required string HoursAgo { get; init; }

    public required string Failed { get; init; }

    public required string Reconnecting { get; init; }

    public required string Lost { get; init; }

    public required string Reload { get; init; }

    public required IReadOnlyDictionary<string, string> Tiers { get; init; }

    public required IReadOnlyDictionary<string, string> Actions { get; init; }

    public static ConsoleText Chinese { get; } = new()
    {
        Tag = "zh-CN",
        Title = "咨询员工作台",
        Back = "对话页",
        Queue = "需要人来接",
        Loading = "正在读取……",
        Nobody = "现在没有人在等。",
        Waiting = "{0} 个对话还没有人接。",
        Claim = "接手",
        Open = "打开",
        Release = "交还",
        InCharge = "{0} 正在处理",
        NotKept = "临时对话，或由其他前端保存，这里打不开。",
        Conversation = "对话",
        Audited = "每次打开都会记入审计记录（不含内容）。",
        Person = "来访者",
        Program = "程序",
        Counsellor = "咨询员",
        Answer = "以真人身份回复……",
        Send = "发送",
        Close = "确认已脱离危险",
        CloseReally = "再按一次：解除危险状态",
        Figures = "危机统计",
        FiguresNote = "只有次数，没有内容，也没有身份。",
        What = "项目",
        WeekName = "7 天",
        MonthName = "30 天",
        JustNow = "刚刚",
        MinutesAgo = "{0} 分钟前",
        HoursAgo = "{0} 小时前",
        Failed = "刚才没有成功，正在重试。",
        Reconnecting = "连接断开了，正在重新连接……",
        Lost = "连接已经断开。",
        Reload = "重新打开",
        Tiers = new Dictionary<string, string>
        {
            ["T1"] = "T1 低落或含糊",
            ["T2"] = "T2 有轻生念头或自伤",
            ["T3"] = "T3 有计划、工具或告别",
            ["T4"] = "T4 已经开始",
            ["TF"] = "TF 身边的人有危险",
            ["TO"] = "TO 可能伤害他人",
            ["TA"] = "TA 受虐或未成年人受害",
        },
        Actions = new Dictionary<string, string>
        {
            ["CrisisReply"] = "危机回复",
            ["HelperReply"] = "给帮助者的回复",
            ["Refusal"] = "拒绝",
            ["GuardCut"] = "截断不安全的回复",
            ["PlanTurn"] = "安全计划",
            ["ContactNamed"] = "留下联系人",
            ["ContactConsented"] = "同意联系",
            ["ContactRefused"] = "不同意联系",
            ["TicketRaised"] = "请求人工",
            ["TicketCleared"] = "人工解除",
        },
    };

    public static ConsoleText English { get; } = new()
    {
        Tag = "en",
        Title = "Counsellors' console",
        Back = "Conversation",
        Queue = "Someone is needed",
        Loading = "Reading…",
        Nobody = "Nobody is waiting now.",
        Waiting = "Calls that nobody has taken: {0}",
        Claim = "Take over",
        Open = "Open",
        Release = "Give back",
        InCharge = "{0} is in charge",
        NotKept = "A temporary conversation, or one that another front end keeps: it cannot be opened here.",
        Conversation = "Conversation",
        Audited = "Every opening goes into the audit log, without content.",
        Person = "Person",
        Program = "Program",
        Counsellor = "Counsellor",
        Answer = "Reply as a human…",
        Send = "Send",
        Close = "Danger is past",
        CloseReally = "Press again: lift the danger",
        Figures = "Crisis figures",
        FiguresNote = "Counts only: no content, no identity.",
        What = "What",
        WeekName = "7 days",
        MonthName = "30 days",
        JustNow = "just now",
        MinutesAgo = "{0} min ago",
        HoursAgo = "{0} h ago",
        Failed = "That did not work; trying again.",
        Reconnecting = "The connection was lost; trying again…",
        Lost = "The connection is gone.",
        Reload = "Open again",
        Tiers = new Dictionary<string, string>
        {
            ["T1"] = "T1 low or ambiguous",
            ["T2"] = "T2 ideation or self-harm",
            ["T3"] = "T3 plan, means or goodbye",
            ["T4"] = "T4 act begun",
            ["TF"] = "TF someone else in danger",
            ["TO"] = "TO may harm others",
            ["TA"] = "TA abuse, or a minor harmed",
        },
        Actions = new Dictionary<string, string>
        {
            ["CrisisReply"] = "Crisis replies",
            ["HelperReply"] = "Replies to helpers",
            ["Refusal"] = "Refusals",
            ["GuardCut"] = "Unsafe replies cut",
            ["PlanTurn"] = "Safety plan",
            ["ContactNamed"] = "Contact named",
            ["ContactConsented"] = "Contact agreed to",
            ["ContactRefused"] = "Contact refused",
            ["TicketRaised"] = "Calls for a person",
            ["TicketCleared"] = "Cleared by a person",
        },
    };

    public static ConsoleText Of(string? tag) => tag == English.Tag ? English : Chinese;

    public string TierOf(Tier tier) => TierNamed(tier.ToString());

    public string TierNamed(string tier) => Tiers.GetValueOrDefault(tier, tier);

    public string ActionOf(string action) => Actions.GetValueOrDefault(action, action);
}
