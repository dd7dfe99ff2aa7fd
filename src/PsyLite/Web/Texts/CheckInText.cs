using PsyLite.Store.Conversations;

namespace PsyLite.Web;

/// <summary>
/// Words of the check-ins. The items of PHQ-9 and GAD-7 are those of the published Chinese and English versions (Spitzer, Williams, Kroenke
/// and colleagues; free to reproduce), and so are their bands of scores.
/// </summary>
public sealed record CheckInText
{
    public required string Title { get; init; }

    public required string Lead { get; init; }

    public required string Mood { get; init; }

    public required string MoodQuestion { get; init; }

    public required string MoodLow { get; init; }

    public required string MoodHigh { get; init; }

    public required string Depression { get; init; }

    public required string Anxiety { get; init; }

    public required string Minutes { get; init; }

    /// <summary>What stands over the items of both questionnaires.</summary>
    public required string Question { get; init; }

    /// <summary>The answers, for 0 to 3.</summary>
    public required IReadOnlyList<string> Answers { get; init; }

    public required IReadOnlyList<string> Phq9 { get; init; }

    public required IReadOnlyList<string> Gad7 { get; init; }

    public required string Done { get; init; }

    /// <summary>With {0} for the number of items without an answer.</summary>
    public required string Missing { get; init; }

    /// <summary>With {0} for the score and {1} for the highest possible.</summary>
    public required string Score { get; init; }

    public required IReadOnlyList<string> Phq9Bands { get; init; }

    public required IReadOnlyList<string> Gad7Bands { get; init; }

    public required string NoDiagnosis { get; init; }

    /// <summary>From the middle band on.</summary>
    public required string Advice { get; init; }

    public required string MoodKept { get; init; }

    public required string NotKept { get; init; }

    public required string Trend { get; init; }

    public required string TrendEmpty { get; init; }

    public required string TrendTable { get; init; }

    public required string Day { get; init; }

    public required string Points { get; init; }

    public required string TalkAboutIt { get; init; }

    public required string Again { get; init; }

    /// <summary>What item 9 says in the conversation, for the answers 1 to 3. Plain enough to be recognised as what it is.</summary>
    public required IReadOnlyList<string> Item9 { get; init; }

    /// <summary>The band of a score: 0 for none, then by severity.</summary>
    internal static int Band(Questionnaire questionnaire, int score) => questionnaire == Questionnaire.Phq9
        ? score switch { < 5 => 0, < 10 => 1, < 15 => 2, < 20 => 3, _ => 4 }
        : score switch { < 5 => 0, < 10 => 1, < 15 => 2, _ => 3 };

    internal IReadOnlyList<string> Items(Questionnaire questionnaire) => questionnaire == Questionnaire.Phq9 ? Phq9 : Gad7;

    internal string Name(Questionnaire questionnaire) => questionnaire switch
    {
        Questionnaire.Phq9 => Depression,
        Questionnaire.Gad7 => Anxiety,
        _ => Mood,
    };

    public static CheckInText Chinese { get; } = new()
    {
        Title = "心情与自评",
        Lead = "隔几天记一次，看看自己是怎么走过来的。这些只给你自己看。",
        Mood = "此刻的心情",
        MoodQuestion = "现在心情怎么样？",
        MoodLow = "很糟",
        MoodHigh = "很好",
        Depression = "情绪自评 PHQ-9",
        Anxiety = "焦虑自评 GAD-7",
        Minutes = "大约两分钟",
        Question = "在过去的两周里，你有多少时候受到以下问题的困扰？",
        Answers = ["完全不会", "好几天", "一半以上的天数", "几乎每天"],
        Phq9 =
        [
            "做事时提不起劲或没有兴趣",
            "感到心情低落、沮丧或绝望",
            "入睡困难、睡不安稳或睡眠过多",
            "感觉疲倦或没有活力",
            "食欲不振或吃太多",
            "觉得自己很糟，或觉得自己很失败，或让自己或家人失望",
            "对事物专注有困难，例如阅读报纸或看电视时",
            "动作或说话速度缓慢到别人已经察觉；或正好相反，烦躁或坐立不安、动来动去的情况更胜于平常",
            "有不如死掉或用某种方式伤害自己的念头",
        ],
        Gad7 =
        [
            "感觉紧张、焦虑或急切",
            "不能够停止或控制担忧",
            "对各种各样的事情担忧过多",
            "很难放松下来",
            "由于不安而无法静坐",
            "变得容易烦恼或急躁",
            "感到似乎将有可怕的事情发生而害怕",
        ],
        Done = "看看结果",
        Missing = "还有 {0} 题没选。每一题都选上，结果才有意义；不想答，随时可以离开。",
        Score = "{0} 分（最高 {1} 分）",
        Phq9Bands = ["这两周的困扰很少", "有一些困扰，程度较轻", "困扰到了中等程度", "困扰比较重", "困扰很重"],
        Gad7Bands = ["这两周的焦虑很少", "有一些焦虑，程度较轻", "焦虑到了中等程度", "焦虑很重"],
        NoDiagnosis = "这是筛查，不是诊断。分数只说明这两周过得有多难，不说明你是什么样的人。",
        Advice = "到了这个分数，值得和医生或心理咨询师聊一聊；带上这个结果就可以。这样难受，不是你不够坚强。",
        MoodKept = "记下了。",
        NotKept = "你选了不保存，这次的结果关掉程序就没有了。",
        Trend = "这段时间",
        TrendEmpty = "记过两次以后，这里会有一条线。",
        TrendTable = "用表格看",
        Day = "日期",
        Points = "分数",
        TalkAboutIt = "聊聊这个",
        Again = "再记一次",
        Item9 =
        [
            "我在自评里选了：过去两周有好几天，我有不如死掉或伤害自己的念头。",
            "我在自评里选了：过去两周有一半以上的天数，我有不如死掉或伤害自己的念头。",
            "我在自评里选了：过去两周几乎每天，我都有不如死掉或伤害自己的念头。",
        ],
    };

    public static CheckInText English { get; } = new()
    {
        Title = "Mood and check-ins",
        Lead = "Note how you are every few days and see how you came along. This is for you alone.",
        Mood = "Mood right now",
        MoodQuestion = "How is your mood now?",
        MoodLow = "very bad",
        MoodHigh = "very good",
        Depression = "Low mood: PHQ-9",
        Anxiety = "Anxiety: GAD-7",
        Minutes = "about two minutes",
        Question = "Over the last 2 weeks, how often have you been bothered by any of the following problems?",
        Answers = ["Not at all", "Several days", "More than half the days", "Nearly every day"],
        Phq9 =
        [
            "Little interest or pleasure in doing things",
            "Feeling down, depressed, or hopeless",
            "Trouble falling or staying asleep, or sleeping too much",
            "Feeling tired or having little energy",
            "Poor appetite or overeating",
            "Feeling bad about yourself — or that you are a failure or have let yourself or your family down",
            "Trouble concentrating on things, such as reading the newspaper or watching television",
            "Moving or speaking so slowly that other people could have noticed? Or the opposite — being so fidgety or restless that you have been moving around a lot more than usual",
            "Thoughts that you would be better off dead or of hurting yourself in some way",
        ],
        Gad7 =
        [
            "Feeling nervous, anxious or on edge",
            "Not being able to stop or control worrying",
            "Worrying too much about different things",
            "Trouble relaxing",
            "Being so restless that it is hard to sit still",
            "Becoming easily annoyed or irritable",
            "Feeling afraid as if something awful might happen",
        ],
        Done = "See the result",
        Missing = "{0} items have no answer yet. The result needs all of them; you may leave at any time.",
        Score = "{0} of {1} points",
        Phq9Bands = ["Little distress in these two weeks", "Some distress, rather mild", "Moderate distress", "Moderately severe distress", "Severe distress"],
        Gad7Bands = ["Little anxiety in these two weeks", "Some anxiety, rather mild", "Moderate anxiety", "Severe anxiety"],
        NoDiagnosis = "This is screening, not a diagnosis. The score says how hard these two weeks were, not who you are.",
        Advice = "With a score like this it is worth talking to a doctor or a counsellor; bring the result along. Feeling this way does not mean you are not strong enough.",
        MoodKept = "Noted.",
        NotKept = "You chose to keep nothing, so this result is gone when the program ends.",
        Trend = "Lately",
        TrendEmpty = "After two entries there will be a line here.",
        TrendTable = "As a table",
        Day = "Day",
        Points = "Score",
        TalkAboutIt = "Talk about it",
        Again = "Once more",
        Item9 =
        [
            "In the check-in I chose: on several days of the last two weeks I had thoughts of being better off dead or of hurting myself.",
            "In the check-in I chose: on more than half the days of the last two weeks I had thoughts of being better off dead or of hurting myself.",
            "In the check-in I chose: nearly every day of the last two weeks I had thoughts of being better off dead or of hurting myself.",
        ],
    };
}
