namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>What is wrong with the judge of moods.</summary>
internal enum JudgeFault
{
    None,
    Absent,
    Throws,
    ThrowsLate,
    Hangs,
    Slow,
    GivesUp,
    Garbage,
    NotANumber,
    WrongCount,
    Nothing,
    OutOfVocabulary,
    AlwaysHappy,
}

/// <summary>What is wrong with the model that speaks.</summary>
internal enum ModelFault
{
    None,
    Absent,
    ThrowsAtOnce,
    ThrowsFirst,
    ThrowsMidway,
    HangsFirst,
    HangsMidway,
    GivesUp,
    Empty,
    Blank,
    Garbage,
    Endless,
    UnclosedThought,
    ErrorContent,
}

/// <summary>What is wrong with the crosstalk library or with the search behind it.</summary>
internal enum SearchFault
{
    None,
    Empty,
    Throws,
    Locked,
    Missing,
    Hangs,
    Garbage,
    Nothing,
}

/// <summary>What the clock of the machine does between turns.</summary>
internal enum ClockFault
{
    None,
    Forward,
    Back,
    Wild,
}

/// <summary>What is wrong with the text that comes in.</summary>
internal enum TextFault
{
    None,
    BrokenCharacters,
}

/// <summary>What is wrong with the host around the turn.</summary>
internal enum HostFault
{
    None,

    /// <summary>The desk for tickets and the audit log throw.</summary>
    DeskAndLogThrow,

    /// <summary>Each turn comes with the history alone, as from a caller that keeps no state.</summary>
    ForgetsState,
}

/// <summary>One row of the table: what is broken, everything else being sound.</summary>
internal sealed record Fault(string Id, string Chinese, string English)
{
    /// <summary>Words of injected exceptions, which must never reach a person.</summary>
    public const string Secret = "injected fault 0xDEAD";

    public JudgeFault Judge { get; init; }

    public ModelFault Model { get; init; }

    public SearchFault Search { get; init; }

    public ClockFault Clock { get; init; }

    public TextFault Text { get; init; }

    public HostFault Host { get; init; }

    /// <summary>Each turn is broken at every seam at once, each time in another way.</summary>
    public bool IsEverything { get; init; }

    public static IReadOnlyList<Fault> All { get; } =
    [
        new("none", "无故障（对照）", "no fault, for comparison"),
        new("judge.absent", "没有评判模型", "judge absent") { Judge = JudgeFault.Absent },
        new("judge.throws", "评判抛出异常", "judge throws") { Judge = JudgeFault.Throws },
        new("judge.throws-late", "评判稍后抛出异常", "judge throws later") { Judge = JudgeFault.ThrowsLate },
        new("judge.hangs", "评判无响应", "judge never answers") { Judge = JudgeFault.Hangs },
        new("judge.slow", "评判超时", "judge too slow") { Judge = JudgeFault.Slow },
        new("judge.gives-up", "评判自行取消", "judge cancels by itself") { Judge = JudgeFault.GivesUp },
        new("judge.garbage", "评判返回乱数", "judge gives garbage numbers") { Judge = JudgeFault.Garbage },
        new("judge.nan", "评判返回 NaN", "judge gives NaN") { Judge = JudgeFault.NotANumber },
        new("judge.count", "评判个数不符", "judge gives a wrong count") { Judge = JudgeFault.WrongCount },
        new("judge.nothing", "评判返回空", "judge gives nothing") { Judge = JudgeFault.Nothing },
        new("judge.vocabulary", "标签不在词表", "labels out of vocabulary") { Judge = JudgeFault.OutOfVocabulary },
        new("judge.happy", "评判总说愉快", "judge always says happy") { Judge = JudgeFault.AlwaysHappy },
        new("model.absent", "没有对话模型", "model absent") { Model = ModelFault.Absent },
        new("model.throws-at-once", "模型一调用就抛异常", "model throws at once") { Model = ModelFault.ThrowsAtOnce },
        new("model.throws-first", "模型首字前抛异常", "model throws before a word") { Model = ModelFault.ThrowsFirst },
        new("model.throws-midway", "模型说到一半抛异常", "model throws midway") { Model = ModelFault.ThrowsMidway },
        new("model.hangs-first", "模型不出字", "model hangs before a word") { Model = ModelFault.HangsFirst },
        new("model.hangs-midway", "模型说到一半卡住", "model hangs midway") { Model = ModelFault.HangsMidway },
        new("model.gives-up", "模型自行取消", "model cancels by itself") { Model = ModelFault.GivesUp },
        new("model.empty", "模型什么都没说", "model says nothing") { Model = ModelFault.Empty },
        new("model.blank", "模型只吐空白", "model says blanks") { Model = ModelFault.Blank },
        new("model.garbage", "模型吐乱码", "model says garbage") { Model = ModelFault.Garbage },
        new("model.endless", "模型说个没完", "model never ends") { Model = ModelFault.Endless },
        new("model.unclosed", "思考标记未闭合", "unclosed <think>") { Model = ModelFault.UnclosedThought },
        new("model.error", "模型返回错误内容", "model sends error content") { Model = ModelFault.ErrorContent },
        new("search.empty", "相声库为空", "crosstalk library empty") { Search = SearchFault.Empty },
        new("search.throws", "相声库抛出异常", "crosstalk library throws") { Search = SearchFault.Throws },
        new("search.locked", "数据库被锁", "database locked") { Search = SearchFault.Locked },
        new("search.missing", "索引文件缺失", "index missing") { Search = SearchFault.Missing },
        new("search.hangs", "索引无响应", "index never answers") { Search = SearchFault.Hangs },
        new("search.garbage", "索引内容损坏", "index content damaged") { Search = SearchFault.Garbage },
        new("search.nothing", "索引返回空", "index gives nothing") { Search = SearchFault.Nothing },
        new("clock.forward", "时钟前跳", "clock jumps forward") { Clock = ClockFault.Forward },
        new("clock.back", "时钟倒退", "clock jumps back") { Clock = ClockFault.Back },
        new("clock.wild", "时钟乱跳", "clock jumps about") { Clock = ClockFault.Wild },
        new("text.broken", "输入含坏字符", "broken characters in the text") { Text = TextFault.BrokenCharacters },
        new("host.desk", "值守台和审计日志出错", "desk and audit log throw") { Host = HostFault.DeskAndLogThrow },
        new("host.state", "会话状态丢失", "state lost, history alone") { Host = HostFault.ForgetsState },
        new("everything", "全部同时出错", "everything at once") { IsEverything = true },
    ];
}
